import { AppError } from "#lib";

export type ForgeErrorCode =
  | "forge/not-found"
  | "forge/invalid"
  | "forge/exists"
  | "forge/conflict"
  | "forge/not-mergeable"
  | "forge/forbidden"
  | "forge/too-large"
  | "forge/refused";

/** Which field of which thing is wrong, in the words that clients of GitHub know. */
export interface FieldProblem {
  readonly resource: string;
  readonly field: string;
  readonly code: "missing" | "missing_field" | "invalid" | "already_exists" | "custom";
  readonly message?: string;
}

/** Cannot continue with a pull request, a status, a release or what is told about them. */
export class ForgeError extends AppError<ForgeErrorCode, readonly FieldProblem[]> {}

export function notFound(what: string): ForgeError {
  return new ForgeError("forge/not-found", `There is no ${what}`);
}

export function invalid(resource: string, field: string, message: string): ForgeError {
  return new ForgeError("forge/invalid", message, { details: [{ resource, field, code: "invalid", message }] });
}
