import { AppError } from "#lib";

export type SecretsErrorCode =
  | "secrets/invalid-name"
  | "secrets/invalid-scope"
  | "secrets/invalid-value"
  | "secrets/too-large"
  | "secrets/not-found"
  /** The key that a secret was encrypted with is not here. */
  | "secrets/key-missing"
  /** The key file is there, but holds something else than keys. */
  | "secrets/key-damaged"
  /** An earlier rotation has not ended. */
  | "secrets/busy-conflict"
  /** The stored bytes are not those that were written for this scope and name. */
  | "secrets/tampered";

/** A secret or variable cannot be kept or read. Its message never holds a value or a key. */
export class SecretsError extends AppError<SecretsErrorCode> {}
