/** Blobs as files named by their content. A file that is there is whole: it is linked into place after its sync. */
import { link, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorCode } from "#lib";
import { algorithmOf, hexOf } from "./names.ts";

export class BlobFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  pathOf(digest: string): string {
    const hex = hexOf(digest);
    return join(this.#folder, algorithmOf(digest), hex.slice(0, 2), hex);
  }

  uploadPath(id: string): string {
    return join(this.#folder, "uploads", id);
  }

  async prepare(): Promise<void> {
    await mkdir(join(this.#folder, "uploads"), { recursive: true });
  }

  /** Gives the (synced) file the name of its digest. The same content may be there already. */
  async adopt(file: string, digest: string): Promise<void> {
    const path = this.pathOf(digest);
    await mkdir(dirname(path), { recursive: true });
    try {
      await link(file, path);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      return;
    }
    await syncFolder(dirname(path));
  }

  async remove(digest: string): Promise<void> {
    await rm(this.pathOf(digest), { force: true });
  }

  /** Digests of all files last changed before `beforeMs`. */
  async *older(beforeMs: number): AsyncGenerator<string, void, undefined> {
    for (const algorithm of ["sha256", "sha512"] as const) {
      for (const shard of await listed(join(this.#folder, algorithm))) {
        for (const hex of await listed(join(this.#folder, algorithm, shard))) {
          const found = await stat(join(this.#folder, algorithm, shard, hex)).catch(() => undefined);
          if (found !== undefined && found.mtimeMs < beforeMs) yield `${algorithm}:${hex}`;
        }
      }
    }
  }

  async uploadIds(): Promise<readonly string[]> {
    return await listed(join(this.#folder, "uploads"));
  }
}

async function listed(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** A new name is durable only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
