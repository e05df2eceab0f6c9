/** Refusals in the shape that clients of GitHub read, and the one place where what was thrown becomes an answer. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { AppError, errorMessage, type Log } from "#lib";
import { ForgeError, type FieldProblem } from "#forge";

type RestErrorCode =
  | "rest/bad-request"
  | "rest/unauthorized"
  | "rest/forbidden"
  | "rest/not-found"
  | "rest/conflict"
  | "rest/gone"
  | "rest/invalid"
  | "rest/too-large";

export class RestError extends AppError<RestErrorCode, readonly FieldProblem[]> {}

export function notFound(): RestError {
  return new RestError("rest/not-found", "Not Found");
}

export function unprocessable(message: string, details: readonly FieldProblem[] = []): RestError {
  return new RestError("rest/invalid", message, { details });
}

/** What a client gave for one field does not fit. */
export function badField(resource: string, field: string, message: string): RestError {
  return unprocessable("Validation Failed", [{ resource, field, code: "invalid", message }]);
}

export function missingField(resource: string, field: string): RestError {
  return unprocessable("Validation Failed", [{ resource, field, code: "missing_field" }]);
}

const statuses: Readonly<Record<string, number>> = {
  "api/bad-request": 422,
  "rest/bad-request": 400,
  "rest/unauthorized": 401,
  "rest/forbidden": 403,
  "rest/not-found": 404,
  "rest/conflict": 409,
  "rest/gone": 410,
  "rest/invalid": 422,
  "rest/too-large": 413,
  "forge/not-found": 404,
  "forge/invalid": 422,
  "forge/exists": 422,
  "forge/conflict": 409,
  "forge/not-mergeable": 405,
  "forge/forbidden": 403,
  "forge/too-large": 413,
  "git/bad-name": 422,
  "git/exists": 422,
  "git/not-found": 404,
  "git/bad-request": 422,
  "git/ref-conflict": 409,
  "git/ref-refused": 409,
  "git/too-large": 413,
  "git/unsupported": 501,
  "secrets/not-found": 404,
  "secrets/invalid-name": 422,
  "secrets/invalid-value": 422,
  "secrets/too-large": 422,
  "workflows/forbidden": 403,
  "workflows/not-found": 404,
  "workflows/request-invalid": 422,
  "workflows/inputs-invalid": 422,
  "workflows/not-possible-now": 422,
};

/** What the server itself cannot do stays in its log. */
export function answerRestError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  const status = statusOf(error);
  if (status >= 500)
    log.error("A REST request failed", { method: request.method, route: request.routeOptions.url, error });
  const hidden = status >= 500 && !(error instanceof AppError);
  const details = error instanceof RestError || error instanceof ForgeError ? (error.details ?? []) : [];
  const validation = error instanceof ForgeError && (error.code === "forge/invalid" || error.code === "forge/exists");
  const message = hidden ? "Server Error" : validation ? "Validation Failed" : errorMessage(error);
  return reply.code(status).send({
    message,
    ...(details.length === 0 ? {} : { errors: details }),
    documentation_url: "https://docs.github.com/rest",
    status: String(status),
  });
}

function statusOf(error: unknown): number {
  if (error instanceof AppError) return statuses[error.code] ?? 500;
  if (error instanceof Error && "statusCode" in error && typeof error.statusCode === "number") return error.statusCode;
  return 500;
}
