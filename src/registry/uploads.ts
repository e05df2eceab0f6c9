/**
 * Blobs on their way in. An upload is a row and a file: its offset is the file's length, so it can be taken up again
 * after a crash of either side at whatever byte got through.
 *
 * The running hash is kept in memory as a shortcut; it is forgotten when a chunk breaks off or the process restarts,
 * and the file is then read once more at the end.
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rm, stat, type FileHandle } from "node:fs/promises";
import { errorCode, KeyedLock, type Clock, type Ids } from "#lib";
import type { Kysely } from "kysely";
import type { BlobFiles } from "./blob-files.ts";
import { RegistryError } from "./errors.ts";
import { algorithmOf, hexOf } from "./names.ts";
import type { RegistrySchema } from "./schema.ts";

export interface UploadsOptions {
  readonly db: Kysely<RegistrySchema>;
  readonly files: BlobFiles;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly maxBlobBytes: number;
  /** Runs work that creates or removes the content of one digest, one at a time. */
  readonly content: KeyedLock;
}

export interface UploadStatus {
  readonly id: string;
  /** Bytes received. */
  readonly offset: number;
}

interface Running {
  readonly hash: Hash;
  readonly offset: number;
}

export type ByteSource = AsyncIterable<Uint8Array>;

export class Uploads {
  readonly #options: UploadsOptions;
  readonly #locks = new KeyedLock();
  readonly #running = new Map<string, Running>();

  constructor(options: UploadsOptions) {
    this.#options = options;
  }

  async begin(repository: string): Promise<UploadStatus> {
    const { db, files, clock, ids } = this.#options;
    const id = ids.uuid();
    const file = await open(files.uploadPath(id), "wx", 0o600);
    await file.close();
    const row = { id, repository, touched_at: clock.now().epochMilliseconds };
    await db.insertInto("registry_uploads").values(row).execute();
    this.#running.set(id, { hash: createHash("sha256"), offset: 0 });
    return { id, offset: 0 };
  }

  /** Throws BLOB_UPLOAD_UNKNOWN. */
  async status(repository: string, id: string): Promise<UploadStatus> {
    const { db, files } = this.#options;
    const row = await db
      .selectFrom("registry_uploads")
      .select("id")
      .where("id", "=", id)
      .where("repository", "=", repository)
      .executeTakeFirst();
    if (row === undefined) throw unknown(id);
    try {
      return { id, offset: (await stat(files.uploadPath(id))).size };
    } catch (error) {
      if (errorCode(error) === "ENOENT") throw unknown(id);
      throw error;
    }
  }

  /** Adds a chunk; `start` is where the client says that it goes. What arrives before a broken connection is kept. */
  async append(
    repository: string,
    id: string,
    source: ByteSource,
    start: number | undefined,
    length?: number,
  ): Promise<UploadStatus> {
    return await this.#locks.run(id, async () => {
      const { offset } = await this.status(repository, id);
      if (start !== undefined && start !== offset) throw outOfOrder(id, start, offset, repository);
      await this.#touch(id);
      const end = await this.#write(id, offset, source);
      if (length !== undefined && end - offset !== length) {
        const found = `${end - offset} bytes came, Content-Range says ${length}`;
        throw new RegistryError("SIZE_INVALID", 400, `Cannot take the chunk: ${found}`);
      }
      return { id, offset: end };
    });
  }

  /** Verifies the whole, makes it a blob of the repository, and ends the upload. Throws DIGEST_INVALID. */
  async finish(repository: string, id: string, digest: string): Promise<{ digest: string; size: number }> {
    return await this.#locks.run(id, async () => {
      const { offset: size } = await this.status(repository, id);
      const found = await this.#digest(id, size, digest);
      if (found !== digest) {
        await this.#forget(id);
        const message = `Cannot store the blob as "${digest}": the uploaded content is "${found}"; upload it again`;
        throw new RegistryError("DIGEST_INVALID", 400, message);
      }
      await this.#store(repository, id, digest, size);
      return { digest, size };
    });
  }

  /** Throws BLOB_UPLOAD_UNKNOWN. */
  async cancel(repository: string, id: string): Promise<void> {
    await this.#locks.run(id, async () => {
      await this.status(repository, id);
      await this.#forget(id);
    });
  }

  /** Ends the uploads that nobody has touched since `beforeMs`, and files without an upload. Answers how many. */
  async expire(beforeMs: number): Promise<number> {
    const { db, files } = this.#options;
    const rows = await db.selectFrom("registry_uploads").select(["id", "touched_at"]).execute();
    const expired = rows.filter((row) => row.touched_at < beforeMs).map((row) => row.id);
    for (const id of expired) await this.#locks.run(id, () => this.#forget(id));
    const known = new Set(rows.map((row) => row.id));
    for (const id of await files.uploadIds()) {
      const found = known.has(id) ? undefined : await stat(files.uploadPath(id)).catch(() => undefined);
      if (found !== undefined && found.mtimeMs < beforeMs) await rm(files.uploadPath(id), { force: true });
    }
    return expired.length;
  }

  async #write(id: string, offset: number, source: ByteSource): Promise<number> {
    const running = this.#running.get(id);
    const hash = running?.offset === offset ? running.hash : undefined;
    this.#running.delete(id);
    const file = await open(this.#options.files.uploadPath(id), "r+");
    try {
      const end = await this.#copy(file, offset, source, hash);
      if (hash !== undefined) this.#running.set(id, { hash, offset: end });
      return end;
    } finally {
      await file.close();
    }
  }

  async #copy(file: FileHandle, offset: number, source: ByteSource, hash: Hash | undefined): Promise<number> {
    const { maxBlobBytes } = this.#options;
    let end = offset;
    for await (const chunk of source) {
      if (end + chunk.length > maxBlobBytes) {
        throw new RegistryError("SIZE_INVALID", 413, `Cannot take the blob: it is over ${maxBlobBytes} bytes`);
      }
      let written = 0;
      while (written < chunk.length) {
        written += (await file.write(chunk, written, chunk.length - written, end + written)).bytesWritten;
      }
      hash?.update(chunk);
      end += chunk.length;
    }
    return end;
  }

  async #digest(id: string, size: number, wanted: string): Promise<string> {
    const algorithm = algorithmOf(wanted);
    const running = this.#running.get(id);
    if (algorithm === "sha256" && running?.offset === size) return `sha256:${running.hash.copy().digest("hex")}`;
    const hash = createHash(algorithm);
    for await (const chunk of createReadStream(this.#options.files.uploadPath(id)) as AsyncIterable<Buffer>) {
      hash.update(chunk);
    }
    return `${algorithm}:${hash.digest("hex")}`;
  }

  async #store(repository: string, id: string, digest: string, size: number): Promise<void> {
    const { db, files, clock, content } = this.#options;
    const file = await open(files.uploadPath(id), "r+");
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
    // Collection must not remove the file between its linking and the row that keeps it.
    await content.run(hexOf(digest), async () => {
      await files.adopt(files.uploadPath(id), digest);
      await db.transaction().execute(async (tx) => {
        const leased_at = clock.now().epochMilliseconds;
        await tx
          .insertInto("registry_blobs")
          .values({ digest, size })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        await tx
          .insertInto("registry_links")
          .values({ repository, digest, leased_at })
          .onConflict((conflict) => conflict.columns(["repository", "digest"]).doUpdateSet({ leased_at }))
          .execute();
        await tx.deleteFrom("registry_uploads").where("id", "=", id).execute();
      });
    });
    await this.#forget(id);
  }

  async #touch(id: string): Promise<void> {
    const touched_at = this.#options.clock.now().epochMilliseconds;
    await this.#options.db.updateTable("registry_uploads").set({ touched_at }).where("id", "=", id).execute();
  }

  async #forget(id: string): Promise<void> {
    const { db, files } = this.#options;
    this.#running.delete(id);
    await db.deleteFrom("registry_uploads").where("id", "=", id).execute();
    await rm(files.uploadPath(id), { force: true });
  }
}

function unknown(id: string): RegistryError {
  const message = `Cannot find upload "${id}": it is finished, cancelled or expired; begin a new one`;
  return new RegistryError("BLOB_UPLOAD_UNKNOWN", 404, message);
}

function outOfOrder(id: string, start: number, offset: number, repository: string): RegistryError {
  const message = `Cannot take the chunk: it begins at byte ${start}, the upload continues at byte ${offset}`;
  const headers = { range: rangeOf(offset), location: `/v2/${repository}/blobs/uploads/${id}` };
  return new RegistryError("BLOB_UPLOAD_INVALID", 416, message, { headers });
}

/** `Range` of an upload's status: inclusive, so nothing received and one byte received look alike. */
export function rangeOf(offset: number): string {
  return `0-${Math.max(0, offset - 1)}`;
}
