/** Errors as Twirp has them: `{ code, msg }` with the HTTP status that belongs to the code. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { ArtifactsError, type ArtifactsErrorCode } from "../errors.ts";

interface TwirpError {
  readonly status: number;
  readonly code: string;
}

const byCode: Readonly<Record<ArtifactsErrorCode, TwirpError>> = {
  "artifacts/already-exists": { status: 409, code: "already_exists" },
  "artifacts/forbidden": { status: 403, code: "permission_denied" },
  "artifacts/invalid": { status: 400, code: "invalid_argument" },
  "artifacts/not-found": { status: 404, code: "not_found" },
  "artifacts/too-large": { status: 413, code: "resource_exhausted" },
};

/** For `setErrorHandler`. What is not ours is Fastify's own (a body too large, not JSON) or a fault, which is thrown on. */
export function sendTwirpError(error: unknown, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof ArtifactsError) {
    const { status, code } = byCode[error.code];
    return reply.code(status).send({ code, msg: error.message, message: error.message });
  }
  const status = statusOf(error);
  if (status === undefined) throw error;
  const msg = error instanceof Error ? error.message : "Bad request";
  return reply.code(status).send({ code: status === 413 ? "resource_exhausted" : "malformed", msg, message: msg });
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("statusCode" in error) || typeof error.statusCode !== "number") return undefined;
  return error.statusCode < 500 ? error.statusCode : undefined;
}
