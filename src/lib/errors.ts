/**
 * Errors that mean "cannot continue". What is merely wrong with an input is data instead: see `problem.ts`.
 *
 * Messages: sentence case, no final period, the action and the thing in quotes, then what was found and what to do.
 */
export interface AppErrorOptions<Details> {
  readonly details?: Details;
  readonly cause?: unknown;
}

/** Base of every error this system throws on purpose. `code` is stable (`room/what`) and safe to show. */
export class AppError<Code extends string = string, Details = unknown> extends Error {
  readonly code: Code;
  readonly details: Details | undefined;

  constructor(code: Code, message: string, options: AppErrorOptions<Details> = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.details = options.details;
  }
}

/** The text of anything that was thrown. */
export function errorMessage(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a Node system error or an `AppError`, if it has one. */
export function errorCode(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}

/** True for the rejection of a wait whose signal was aborted. */
export function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && (thrown.name === "AbortError" || errorCode(thrown) === "ABORT_ERR");
}

/** For the end of an exhaustive `switch`. */
export function unreachable(value: never): never {
  throw new Error(`Unreachable case: ${JSON.stringify(value)}`);
}
