/** Refusals of the product API, and the one place where what was thrown becomes an HTTP answer. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiFailure } from "#api";
import { AppError, errorMessage, type Log } from "#lib";
import { KubeError } from "#kube";

type ApiErrorCode = "api/not-found" | "api/bad-request" | "api/unauthorized" | "api/forbidden" | "api/conflict";

export class ApiError extends AppError<ApiErrorCode> {}

export function notFound(what: string): ApiError {
  return new ApiError("api/not-found", `There is no ${what}`);
}

export function badRequest(message: string): ApiError {
  return new ApiError("api/bad-request", message);
}

const statusOfSuffix: readonly (readonly [RegExp, number])[] = [
  [/not-found|unknown/, 404],
  [/unauthorized/, 401],
  [/forbidden/, 403],
  [
    /conflict|exists|not-mergeable|already|in-progress|automated|deleting|not-(?:compared|possible-now)|lease-lost/,
    409,
  ],
  // Another server, which ours had to ask.
  [/remote$/, 502],
  [/bad-|invalid|wrong|too-large|refused|unsupported/, 400],
];

/** Our own errors are meant for people and say what they are; anything else is a fault of ours and is only logged. */
export function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): FastifyReply {
  const status = statusOf(error);
  if (status >= 500) log.error("Request failed", { method: request.method, route: request.routeOptions.url, error });
  const ours = error instanceof AppError;
  const code = ours ? error.code : status >= 500 ? "api/internal" : "api/bad-request";
  const hidden = !ours && status >= 500;
  const message = hidden ? "The server could not carry this out; its log says why" : errorMessage(error);
  const body: ApiFailure = { error: { code, message } };
  return reply.code(status).send(body);
}

/** Exported for its test. */
export function statusOf(error: unknown): number {
  if (error instanceof KubeError) return error.httpCode;
  if (error instanceof AppError) return statusOfSuffix.find(([pattern]) => pattern.test(error.code))?.[1] ?? 500;
  if (error instanceof Error && "statusCode" in error && typeof error.statusCode === "number") return error.statusCode;
  return 500;
}
