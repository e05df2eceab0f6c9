import { AppError } from "#lib";

/** The linter could not look. */
export class LintError extends AppError<"lint/script-checker"> {}
