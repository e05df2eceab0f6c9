/**
 * ACTIONS_RUNTIME_TOKEN: a JWT, because clients decode it for the ids of run and job that they then send back. They read
 * the claim `scp`, a list that must hold `Actions.Results:<run>:<job>`.
 */
import { createSecretKey, type KeyObject } from "node:crypto";
import { isObject, type Clock } from "#lib";
import { jwtVerify, SignJWT } from "jose";
import type { CacheScope, JobGrant } from "./job-grant.ts";

const issuer = "tidegate-artifacts";

export class RuntimeTokens {
  /** As raw bytes it would be imported for each token anew. */
  readonly #key: KeyObject;
  readonly #clock: Clock;

  /** The key has at least 32 random bytes; the caller keeps it, so that a restart takes no job's token away. */
  constructor(key: Uint8Array, clock: Clock) {
    this.#key = createSecretKey(key);
    this.#clock = clock;
  }

  async sign(grant: JobGrant, lifetimeMs: number): Promise<string> {
    const now = Math.floor(this.#clock.now().epochMilliseconds / 1000);
    return await new SignJWT({ scp: `Actions.Results:${runBackendId(grant)}:${grant.jobId}`, grant: { ...grant } })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer(issuer)
      .setSubject(grant.jobId)
      .setIssuedAt(now)
      .setNotBefore(now - 30)
      .setExpirationTime(now + Math.ceil(lifetimeMs / 1000))
      .sign(this.#key);
  }

  /** Undefined for anything that was not signed here, or has expired. */
  async verify(authorization: string | undefined): Promise<JobGrant | undefined> {
    const text = /^Bearer\s+(\S+)$/i.exec(authorization ?? "")?.[1];
    if (text === undefined) return undefined;
    try {
      const currentDate = new Date(this.#clock.now().epochMilliseconds);
      const { payload } = await jwtVerify(text, this.#key, { issuer, algorithms: ["HS256"], currentDate });
      const { grant } = payload;
      return isGrant(grant) ? grant : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Artifacts belong to the run, whatever its attempt. */
export function runBackendId({ runId }: Pick<JobGrant, "runId">): string {
  return `run-${runId}`;
}

function isGrant(value: unknown): value is JobGrant {
  if (!isObject(value)) return false;
  const { repository, runId, jobId, attempt, scopes } = value;
  const texts = [repository, runId, jobId].every((text) => typeof text === "string");
  return texts && typeof attempt === "number" && Array.isArray(scopes) && scopes.every(isScope);
}

function isScope(value: unknown): value is CacheScope {
  return isObject(value) && typeof value["ref"] === "string" && typeof value["writable"] === "boolean";
}
