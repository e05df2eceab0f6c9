/** Artifacts of runs. */
import type { Clock, Ids } from "#lib";
import { ArtifactsError } from "../errors.ts";
import type { JobGrant } from "../job-grant.ts";
import type { Blobs } from "./blobs.ts";
import { rfc3339 } from "./caches.ts";
import type { ArtifactRow, ArtifactsDatabase } from "./schema.ts";

export interface ArtifactsOptions {
  readonly db: ArtifactsDatabase;
  readonly blobs: Blobs;
  readonly clock: Clock;
  readonly ids: Ids;
  /** How long an artifact is kept unless its job says. */
  readonly retentionMs: number;
}

export interface NewArtifact {
  readonly name: string;
  readonly mimeType: string;
  /** Milliseconds since 1970. */
  readonly expiresAt?: number;
}

export interface ArtifactView {
  readonly id: number;
  readonly name: string;
  readonly runId: string;
  readonly sizeInBytes: number;
  /** `sha256:<hex>` */
  readonly digest: string | null;
  readonly mimeType: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly expiresAt: string;
}

export class Artifacts {
  readonly #options: ArtifactsOptions;

  constructor(options: ArtifactsOptions) {
    this.#options = options;
  }

  /** Throws `artifacts/already-exists` when this attempt of the run has one of the name. */
  async create(grant: JobGrant, { name, mimeType, expiresAt }: NewArtifact): Promise<{ readonly blob: string }> {
    requireName(name);
    const { db, clock, ids, retentionMs } = this.#options;
    const nowMs = clock.now().epochMilliseconds;
    const longest = nowMs + retentionMs;
    const blob = ids.uuid();
    const inserted = await db.transaction().execute(async (tx) => {
      // A reservation of this very job is an upload that broke off and is done again.
      await tx
        .deleteFrom("artifacts_artifacts")
        .where("run_id", "=", grant.runId)
        .where("name", "=", name)
        .where("job_id", "=", grant.jobId)
        .where("state", "=", "reserved")
        .execute();
      return await tx
        .insertInto("artifacts_artifacts")
        .values({
          repository: grant.repository,
          run_id: grant.runId,
          job_id: grant.jobId,
          attempt: grant.attempt,
          name,
          blob,
          size: 0,
          digest: null,
          mime_type: mimeType,
          state: "reserved",
          created_at: nowMs,
          expires_at: expiresAt === undefined ? longest : Math.min(Math.max(expiresAt, nowMs), longest),
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
    });
    if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) {
      const message = `Cannot create artifact "${name}": this run has one of that name. Choose another, or overwrite it`;
      throw new ArtifactsError("artifacts/already-exists", message);
    }
    return { blob };
  }

  /** `digest`, when the client says one, must be that of what came. Later attempts replace what earlier ones made. */
  async finish(grant: JobGrant, name: string, size: number, digest?: string): Promise<number> {
    const { db, blobs } = this.#options;
    const row = await this.#reserved(grant, name);
    const found = await blobs.size(row.blob);
    if (found !== size) {
      const message = `Cannot finish artifact "${name}": its upload has ${found ?? 0} bytes, not ${size}`;
      throw new ArtifactsError("artifacts/invalid", message);
    }
    const stored = await blobs.digest(row.blob);
    if (digest !== undefined && digest !== stored) {
      const message = `Cannot finish artifact "${name}": what came is ${stored}, not ${digest}`;
      throw new ArtifactsError("artifacts/invalid", message);
    }
    const replaced = await db.transaction().execute(async (tx) => {
      await tx
        .updateTable("artifacts_artifacts")
        .set({ state: "ready", size, digest: stored })
        .where("id", "=", row.id)
        .execute();
      return await tx
        .deleteFrom("artifacts_artifacts")
        .where("run_id", "=", grant.runId)
        .where("name", "=", name)
        .where("attempt", "<", row.attempt)
        .returning("blob")
        .execute();
    });
    for (const { blob } of replaced) await blobs.remove(blob);
    return row.id;
  }

  /** Of the run, newest first. */
  async listRows(
    runId: string,
    filter: { readonly name?: string; readonly id?: number } = {},
  ): Promise<readonly ArtifactRow[]> {
    let query = this.#options.db
      .selectFrom("artifacts_artifacts")
      .selectAll()
      .where("run_id", "=", runId)
      .where("state", "=", "ready");
    if (filter.name !== undefined) query = query.where("name", "=", filter.name);
    if (filter.id !== undefined) query = query.where("id", "=", filter.id);
    return await query.orderBy("id", "desc").execute();
  }

  async list(runId: string): Promise<readonly ArtifactView[]> {
    return (await this.listRows(runId)).map(view);
  }

  async listOfRepository(repository: string, name?: string): Promise<readonly ArtifactView[]> {
    let query = this.#options.db
      .selectFrom("artifacts_artifacts")
      .selectAll()
      .where("repository", "=", repository)
      .where("state", "=", "ready");
    if (name !== undefined) query = query.where("name", "=", name);
    return (await query.orderBy("id", "desc").limit(1000).execute()).map(view);
  }

  async get(id: number): Promise<(ArtifactView & { readonly repository: string; readonly blob: string }) | undefined> {
    const row = await this.#options.db
      .selectFrom("artifacts_artifacts")
      .selectAll()
      .where("id", "=", id)
      .where("state", "=", "ready")
      .executeTakeFirst();
    return row === undefined ? undefined : { ...view(row), repository: row.repository, blob: row.blob };
  }

  /** Undefined when there is none of the name. */
  async removeNamed(runId: string, name: string): Promise<number | undefined> {
    const [row] = await this.listRows(runId, { name });
    if (row === undefined) return undefined;
    await this.remove(row.id);
    return row.id;
  }

  async remove(id: number): Promise<boolean> {
    const { db, blobs } = this.#options;
    const row = await db.deleteFrom("artifacts_artifacts").where("id", "=", id).returning("blob").executeTakeFirst();
    if (row !== undefined) await blobs.remove(row.blob);
    return row !== undefined;
  }

  /** Those whose time is over, and uploads that never ended. */
  async expire(reservedMs: number): Promise<void> {
    const nowMs = this.#options.clock.now().epochMilliseconds;
    const rows = await this.#options.db
      .selectFrom("artifacts_artifacts")
      .select("id")
      .where((where) =>
        where.or([
          where("expires_at", "<", nowMs),
          where.and([where("state", "=", "reserved"), where("created_at", "<", nowMs - reservedMs)]),
        ]),
      )
      .execute();
    for (const { id } of rows) await this.remove(id);
  }

  async blobs(): Promise<readonly string[]> {
    const rows = await this.#options.db.selectFrom("artifacts_artifacts").select("blob").execute();
    return rows.map((row) => row.blob);
  }

  async #reserved(grant: JobGrant, name: string): Promise<ArtifactRow> {
    const row = await this.#options.db
      .selectFrom("artifacts_artifacts")
      .selectAll()
      .where("run_id", "=", grant.runId)
      .where("job_id", "=", grant.jobId)
      .where("name", "=", name)
      .where("state", "=", "reserved")
      .executeTakeFirst();
    if (row !== undefined) return row;
    throw new ArtifactsError("artifacts/not-found", `Artifact "${name}" is not being uploaded by this job`);
  }
}

function view(row: ArtifactRow): ArtifactView {
  return {
    id: row.id,
    name: row.name,
    runId: row.run_id,
    sizeInBytes: row.size,
    digest: row.digest,
    mimeType: row.mime_type,
    createdAt: rfc3339(row.created_at),
    expiresAt: rfc3339(row.expires_at),
  };
}

/** What GitHub refuses: names that some file system would take for something else. */
function requireName(name: string): void {
  const length = Buffer.byteLength(name);
  if (length > 0 && length <= 256 && !/["<>|*?:\\/\p{Cc}]/u.test(name) && name !== "." && name !== "..") return;
  const message = `Artifact name "${name.slice(0, 80)}" must have 1 to 256 bytes, and none of " : < > | * ? \\ / or line ends`;
  throw new ArtifactsError("artifacts/invalid", message);
}
