import { AppError } from "#lib";

export type RuntimeErrorCode =
  | "runtime/no-image"
  | "runtime/bad-layer"
  | "runtime/layer-too-large"
  | "runtime/no-command"
  | "runtime/no-container"
  | "runtime/no-port"
  | "runtime/no-terminal"
  | "runtime/no-engine"
  | "runtime/no-isolation"
  | "runtime/no-runtime"
  | "runtime/refused"
  | "runtime/bad-volume"
  | "runtime/start-failed"
  | "runtime/stop-failed";

/** What the runtime cannot do, in words that fit a pod event. */
export class RuntimeError extends AppError<RuntimeErrorCode> {}
