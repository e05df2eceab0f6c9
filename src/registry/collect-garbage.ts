/**
 * Frees what nothing refers to. Runs beside pushes and pulls:
 *
 * - A blob is only unlinked from a repository when no manifest there refers to it *and* its lease has run out. A client
 *   that hears "200" to HEAD skips the upload and pushes its manifest later; that HEAD renewed the lease.
 * - A blob's row goes, under the lock of its digest, only when no repository links to it any more, and its file right
 *   after. An upload of the same content takes the same lock, so it comes wholly before or wholly after.
 * - A crash between row and file leaves a file without a row, which the last step finds once it is old.
 *
 * Manifests and tags are never collected here: they go when somebody deletes them.
 */
import type { Clock, KeyedLock } from "#lib";
import { sql, type Kysely } from "kysely";
import type { BlobFiles } from "./blob-files.ts";
import { hexOf } from "./names.ts";
import type { RegistrySchema } from "./schema.ts";
import type { Uploads } from "./uploads.ts";

export interface Garbage {
  readonly uploads: number;
  readonly links: number;
  readonly blobs: number;
  readonly files: number;
}

export interface CollectorOptions {
  readonly db: Kysely<RegistrySchema>;
  readonly files: BlobFiles;
  readonly uploads: Uploads;
  readonly clock: Clock;
  readonly content: KeyedLock;
  /** How long a blob that no manifest refers to, or an idle upload, is kept. */
  readonly graceMs: number;
}

export async function collectGarbage(options: CollectorOptions, signal: AbortSignal): Promise<Garbage> {
  const before = options.clock.now().epochMilliseconds - options.graceMs;
  const uploads = await options.uploads.expire(before);
  const links = await unlink(options.db, before);
  let blobs = 0;
  for (const digest of await unlinkedBlobs(options.db)) {
    signal.throwIfAborted();
    if (await removeBlob(options, digest)) blobs++;
  }
  let files = 0;
  for await (const digest of options.files.older(before)) {
    signal.throwIfAborted();
    if (await removeStray(options, digest)) files++;
  }
  return { uploads, links, blobs, files };
}

async function unlink(db: Kysely<RegistrySchema>, before: number): Promise<number> {
  const result = await db
    .deleteFrom("registry_links")
    .where("leased_at", "<", before)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("registry_references")
            .select("registry_references.digest")
            .whereRef("registry_references.repository", "=", "registry_links.repository")
            .whereRef("registry_references.target", "=", "registry_links.digest"),
        ),
      ),
    )
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}

const linked = sql<boolean>`exists (select 1 from registry_links where registry_links.digest = registry_blobs.digest)`;

async function unlinkedBlobs(db: Kysely<RegistrySchema>): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("registry_blobs")
    .select("digest")
    .where(sql<boolean>`not ${linked}`)
    .execute();
  return rows.map((row) => row.digest);
}

async function removeBlob({ db, files, content }: CollectorOptions, digest: string): Promise<boolean> {
  return await content.run(hexOf(digest), async () => {
    // Looked at again in the same statement: a mount may have linked it meanwhile.
    const result = await db
      .deleteFrom("registry_blobs")
      .where("digest", "=", digest)
      .where(sql<boolean>`not ${linked}`)
      .executeTakeFirst();
    if (Number(result.numDeletedRows) === 0) return false;
    await files.remove(digest);
    return true;
  });
}

async function removeStray({ db, files, content }: CollectorOptions, digest: string): Promise<boolean> {
  return await content.run(hexOf(digest), async () => {
    const row = await db.selectFrom("registry_blobs").select("digest").where("digest", "=", digest).executeTakeFirst();
    if (row !== undefined) return false;
    await files.remove(digest);
    return true;
  });
}
