/** The content of release assets: one file each, whole or not there. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Ids } from "#lib";
import { ForgeError } from "./errors.ts";

export interface StoredFile {
  readonly file: string;
  readonly size: number;
  /** `sha256:<hex>` */
  readonly digest: string;
}

/** GitHub's limit for one asset. */
const defaultMaxBytes = 2 * 1024 ** 3;
const uploadsEnding = ".part";

export class AssetFiles {
  readonly #folder: string;
  readonly #ids: Ids;
  readonly #maxBytes: number;

  constructor(folder: string, ids: Ids, maxBytes = defaultMaxBytes) {
    this.#folder = folder;
    this.#ids = ids;
    this.#maxBytes = maxBytes;
  }

  /** Removes what no row names: uploads that broke off, and files whose rows are gone. */
  async open(known: readonly string[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const named = new Set(known);
    for (const name of await readdir(this.#folder)) if (!named.has(name)) await this.remove(name);
  }

  /** Durable when it resolves. */
  async store(content: AsyncIterable<Buffer>): Promise<StoredFile> {
    const file = this.#ids.uuid();
    const partial = join(this.#folder, `${file}${uploadsEnding}`);
    const hash = createHash("sha256");
    let size = 0;
    try {
      await using handle = await open(partial, "wx", 0o600);
      for await (const chunk of content) {
        size += chunk.length;
        if (size > this.#maxBytes) {
          throw new ForgeError("forge/too-large", `An asset has at most ${this.#maxBytes} bytes`);
        }
        hash.update(chunk);
        await handle.writeFile(chunk);
      }
      await handle.sync();
      await rename(partial, join(this.#folder, file));
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
    return { file, size, digest: `sha256:${hash.digest("hex")}` };
  }

  async size(file: string): Promise<number | undefined> {
    return (await stat(join(this.#folder, file)).catch(() => undefined))?.size;
  }

  read(file: string): Readable {
    return createReadStream(join(this.#folder, file));
  }

  async remove(file: string): Promise<void> {
    await rm(join(this.#folder, file), { force: true });
  }
}
