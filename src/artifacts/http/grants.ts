/** The job that asks. */
import type { FastifyRequest } from "fastify";
import { ArtifactsError } from "../errors.ts";
import type { JobGrant } from "../job-grant.ts";
import type { ArtifactService } from "../service.ts";

/** Undefined answers 401: there is no token, it is not ours, it has expired, or its job has ended. */
export async function grantOf(service: ArtifactService, request: FastifyRequest): Promise<JobGrant | undefined> {
  const grant = await service.tokens.verify(request.headers.authorization);
  if (grant === undefined || !(await service.jobs.isRunning(grant.jobId))) return undefined;
  return grant;
}

export function text(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  if (typeof value === "string") return value;
  throw new ArtifactsError("artifacts/invalid", `Field "${name}" must be a text`);
}

export function optionalText(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = body[name];
  return value === undefined || value === null || value === "" ? undefined : text(body, name);
}

/** Twirp sends 64-bit numbers as texts. */
export function count(body: Readonly<Record<string, unknown>>, name: string): number {
  const value = body[name];
  const number = typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number;
  throw new ArtifactsError("artifacts/invalid", `Field "${name}" must be a whole number`);
}

/** Of a Protobuf message in JSON, whose writer may leave out what is 0. */
export function int64(body: Readonly<Record<string, unknown>>, name: string): number {
  return body[name] === undefined ? 0 : count(body, name);
}
