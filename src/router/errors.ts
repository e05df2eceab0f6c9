import { AppError } from "#lib";

export type RouterErrorCode =
  | "router/bad-table"
  | "router/bad-config"
  | "router/stale-table"
  | "router/port-taken"
  | "router/start-failed"
  | "router/control-failed"
  | "router/socket-path";

/** Thrown by the router process at start and by the control side when a router cannot be brought to do what was asked. */
export class RouterError extends AppError<RouterErrorCode> {}
