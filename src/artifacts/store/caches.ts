/** Entries of the caches of workflows. */
import type { Clock, Ids } from "#lib";
import { ArtifactsError } from "../errors.ts";
import type { JobGrant } from "../job-grant.ts";
import type { JobsPort } from "../ports.ts";
import type { Blobs } from "./blobs.ts";
import { matchCache } from "./match-cache.ts";
import { planCacheEviction, type CacheLimits } from "./plan-eviction.ts";
import type { ArtifactsDatabase, CacheRow } from "./schema.ts";

export interface CachesOptions {
  readonly db: ArtifactsDatabase;
  readonly blobs: Blobs;
  readonly jobs: JobsPort;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: CacheLimits;
}

export interface CacheEntryView {
  readonly id: number;
  readonly key: string;
  readonly version: string;
  readonly ref: string;
  readonly sizeInBytes: number;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly lastAccessedAt: string;
}

/** The documented limit of the action that everybody uses. */
const maxKeyLength = 512;
/** How many restore keys one question has at most, its own key among them. */
const maxKeys = 10;

export class Caches {
  readonly #options: CachesOptions;

  constructor(options: CachesOptions) {
    this.#options = options;
  }

  /** The blob to write to. Throws `artifacts/already-exists` while the key is there or another job is at it. */
  async reserve(
    grant: JobGrant,
    key: string,
    version: string,
  ): Promise<{ readonly id: number; readonly blob: string }> {
    requireKeys([key], version);
    const scope = grant.scopes.find((found) => found.writable);
    if (scope === undefined) {
      const message = `Cannot save cache "${key}": jobs of this event may read caches, not write them`;
      throw new ArtifactsError("artifacts/forbidden", message);
    }
    const { db, ids, clock } = this.#options;
    await this.#dropDead(grant.repository, scope.ref, key, version);
    const nowMs = clock.now().epochMilliseconds;
    const blob = ids.uuid();
    const row = { repository: grant.repository, scope: scope.ref, key, version, blob, job_id: grant.jobId };
    const times = { created_at: nowMs, used_at: nowMs };
    const inserted = await db
      .insertInto("artifacts_caches")
      .values({ ...row, ...times, size: 0, state: "reserved" })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst();
    if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) {
      const message = `Cannot save cache "${key}": it is there already, or another job is saving it`;
      throw new ArtifactsError("artifacts/already-exists", message);
    }
    return { id: Number(inserted.insertId), blob };
  }

  /** The entry that this job has reserved under the key. */
  async reserved(grant: JobGrant, key: string, version: string): Promise<CacheRow> {
    const row = await this.#options.db
      .selectFrom("artifacts_caches")
      .selectAll()
      .where("repository", "=", grant.repository)
      .where("job_id", "=", grant.jobId)
      .where("key", "=", key)
      .where("version", "=", version)
      .where("state", "=", "reserved")
      .executeTakeFirst();
    if (row === undefined) throw notReserved(key);
    return row;
  }

  async reservedById(grant: JobGrant, id: number): Promise<CacheRow> {
    const row = await this.#options.db
      .selectFrom("artifacts_caches")
      .selectAll()
      .where("id", "=", id)
      .where("repository", "=", grant.repository)
      .where("job_id", "=", grant.jobId)
      .where("state", "=", "reserved")
      .executeTakeFirst();
    if (row === undefined) throw notReserved(String(id));
    return row;
  }

  /** Its content is there. From here on it is found. */
  async finish(row: CacheRow, size: number): Promise<void> {
    const found = await this.#options.blobs.size(row.blob);
    if (found !== size) {
      const message = `Cannot finish cache "${row.key}": its upload has ${found ?? 0} bytes, not ${size}`;
      throw new ArtifactsError("artifacts/invalid", message);
    }
    const nowMs = this.#options.clock.now().epochMilliseconds;
    await this.#options.db
      .updateTable("artifacts_caches")
      .set({ state: "ready", size, created_at: nowMs, used_at: nowMs })
      .where("id", "=", row.id)
      .execute();
    await this.evict();
  }

  async find(
    grant: JobGrant,
    key: string,
    restoreKeys: readonly string[],
    version: string,
  ): Promise<CacheRow | undefined> {
    requireKeys([key, ...restoreKeys], version);
    const { db, clock } = this.#options;
    const scopes = grant.scopes.map((scope) => scope.ref);
    const rows = await db
      .selectFrom("artifacts_caches")
      .selectAll()
      .where("repository", "=", grant.repository)
      .where("version", "=", version)
      .where("state", "=", "ready")
      .where("scope", "in", scopes)
      .execute();
    const candidates = rows.map((row) => ({ ...row, createdAt: row.created_at }));
    const found = matchCache(candidates, { scopes, key, restoreKeys, version });
    if (found === undefined) return undefined;
    const used = { used_at: clock.now().epochMilliseconds };
    await db.updateTable("artifacts_caches").set(used).where("id", "=", found.id).execute();
    return found;
  }

  /** Newest use first. */
  async list(repository: string): Promise<readonly CacheEntryView[]> {
    const rows = await this.#options.db
      .selectFrom("artifacts_caches")
      .selectAll()
      .where("repository", "=", repository)
      .where("state", "=", "ready")
      .orderBy("used_at", "desc")
      .execute();
    return rows.map((row) => ({
      id: row.id,
      key: row.key,
      version: row.version,
      ref: row.scope,
      sizeInBytes: row.size,
      createdAt: rfc3339(row.created_at),
      lastAccessedAt: rfc3339(row.used_at),
    }));
  }

  /** Answers how many there were. */
  async remove(repository: string, which: { readonly id: number } | { readonly key: string }): Promise<number> {
    const query = this.#options.db.selectFrom("artifacts_caches").select(["id"]).where("repository", "=", repository);
    const rows = await (
      "id" in which ? query.where("id", "=", which.id) : query.where("key", "=", which.key)
    ).execute();
    for (const row of rows) await this.#drop(row.id);
    return rows.length;
  }

  async evict(): Promise<void> {
    const { db, clock, limits } = this.#options;
    const rows = await db
      .selectFrom("artifacts_caches")
      .select(["id", "repository", "size", "state", "created_at as createdAt", "used_at as usedAt"])
      .execute();
    for (const id of planCacheEviction(rows, limits, clock.now().epochMilliseconds)) await this.#drop(id);
  }

  async blobs(): Promise<readonly string[]> {
    const rows = await this.#options.db.selectFrom("artifacts_caches").select("blob").execute();
    return rows.map((row) => row.blob);
  }

  /** A reservation of a job that has ended will never be finished. */
  async #dropDead(repository: string, scope: string, key: string, version: string): Promise<void> {
    const { db, jobs } = this.#options;
    const row = await db
      .selectFrom("artifacts_caches")
      .select(["id", "job_id"])
      .where("repository", "=", repository)
      .where("scope", "=", scope)
      .where("key", "=", key)
      .where("version", "=", version)
      .where("state", "=", "reserved")
      .executeTakeFirst();
    if (row !== undefined && !(await jobs.isRunning(row.job_id))) await this.#drop(row.id);
  }

  /** The row first: a blob without a row is swept, a row without its blob would be a broken promise. */
  async #drop(id: number): Promise<void> {
    const { db, blobs } = this.#options;
    const row = await db.deleteFrom("artifacts_caches").where("id", "=", id).returning("blob").executeTakeFirst();
    if (row !== undefined) await blobs.remove(row.blob);
  }
}

function requireKeys(keys: readonly string[], version: string): void {
  if (keys.length > maxKeys) {
    throw new ArtifactsError("artifacts/invalid", `Cannot look for ${keys.length} cache keys; ${maxKeys} is the most`);
  }
  if (!/^[\w.=+-]{1,128}$/.test(version)) {
    throw new ArtifactsError("artifacts/invalid", "A cache's version must be a word of at most 128 characters");
  }
  for (const key of keys) {
    if (key.length > 0 && key.length <= maxKeyLength && !/[,\p{Cc}]/u.test(key)) continue;
    const message = `Cache key "${key.slice(0, 80)}" must have 1 to ${maxKeyLength} characters, and no comma or control character`;
    throw new ArtifactsError("artifacts/invalid", message);
  }
}

function notReserved(what: string): ArtifactsError {
  return new ArtifactsError("artifacts/not-found", `Cache "${what}" is not reserved by this job`);
}

export function rfc3339(ms: number): string {
  return Temporal.Instant.fromEpochMilliseconds(ms).toString();
}
