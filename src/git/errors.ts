import { AppError } from "#lib";

export type GitErrorCode =
  | "git/bad-name"
  | "git/exists"
  | "git/not-found"
  | "git/bad-request"
  | "git/ref-conflict"
  | "git/ref-refused"
  | "git/too-large"
  | "git/unreadable"
  | "git/remote"
  | "git/unsupported";

/** Cannot continue with a repository, a push or a remote. */
export class GitError extends AppError<GitErrorCode> {}
