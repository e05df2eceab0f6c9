import { AppError } from "#lib";

export type GitopsErrorCode =
  | "gitops/not-found"
  | "gitops/operation-in-progress"
  | "gitops/automated"
  | "gitops/unknown-history"
  | "gitops/deleting"
  | "gitops/not-compared";

/** A request about an Application that cannot be done; the message says what to do instead. */
export class GitopsError extends AppError<GitopsErrorCode> {}
