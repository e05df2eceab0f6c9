import { AppError } from "#lib";

/** An expression that cannot be evaluated: its text is wrong, its result too large, or a function refused. */
export class ExpressionFailure extends AppError<"workflows/expression-failed"> {
  constructor(message: string, cause?: unknown) {
    super("workflows/expression-failed", message, { cause });
  }
}

export type WorkflowsErrorCode =
  | "workflows/not-found"
  | "workflows/lease-lost"
  | "workflows/request-invalid"
  | "workflows/inputs-invalid"
  | "workflows/not-possible-now"
  | "workflows/forbidden";

/** A request that cannot be done; the HTTP status follows from the code. */
export class WorkflowsError extends AppError<WorkflowsErrorCode> {}
