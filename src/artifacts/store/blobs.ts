/**
 * Content on its way in and at rest, as files named by an id of ours. It comes whole, in named blocks that a list then
 * puts in order (both as Azure's block blobs do), or in pieces at offsets (as the first cache protocol does). A blob that
 * is there is whole: it gets its name by a rename.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Readable } from "node:stream";
import { errorCode, KeyedLock, type Ids } from "#lib";
import { ArtifactsError } from "../errors.ts";

export type ByteSource = AsyncIterable<Uint8Array>;

export interface StoredBlob {
  readonly size: number;
  /** `sha256:<hex>` */
  readonly digest: string;
}

const rememberedDigests = 1000;

/** What Azure allows of one list. */
const maxBlocks = 50_000;

export class Blobs {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #ids: Ids;
  /** One change of a blob at a time; blocks of it may come side by side. */
  readonly #locks = new KeyedLock();
  /** Of blobs that have just come, so that finishing them does not read them again. */
  readonly #digests = new Map<string, string>();

  constructor(folder: string, maxBytes: number, ids: Ids) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#ids = ids;
  }

  async prepare(): Promise<void> {
    for (const name of ["ready", "incoming"]) await mkdir(join(this.#folder, name), { recursive: true, mode: 0o700 });
  }

  async putWhole(id: string, source: ByteSource): Promise<StoredBlob> {
    const file = this.#incoming(`${id}.${this.#ids.uuid()}.part`);
    try {
      const stored = await this.#write(file, source);
      await this.#adopt(file, id, stored);
      return stored;
    } finally {
      await rm(file, { force: true });
    }
  }

  /** `block` is a name of the client's; the same name again replaces it. */
  async putBlock(id: string, block: string, source: ByteSource): Promise<void> {
    const folder = this.#blocks(id);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, `${this.#ids.uuid()}.part`);
    try {
      await this.#write(file, source);
      await rename(file, join(folder, blockName(block)));
    } finally {
      await rm(file, { force: true });
    }
  }

  /** Throws `artifacts/invalid` for a block that never came. */
  async commitBlocks(id: string, blocks: readonly string[]): Promise<StoredBlob> {
    if (blocks.length > maxBlocks)
      throw new ArtifactsError("artifacts/invalid", `Cannot join more than ${maxBlocks} blocks`);
    return await this.#locks.run(id, async () => {
      const file = this.#incoming(`${id}.${this.#ids.uuid()}.part`);
      try {
        const stored = await this.#write(file, this.#joined(id, blocks));
        await this.#adopt(file, id, stored);
        await rm(this.#blocks(id), { recursive: true, force: true });
        return stored;
      } finally {
        await rm(file, { force: true });
      }
    });
  }

  /** A piece of a blob that is not whole yet. */
  async putAt(id: string, start: number, source: ByteSource): Promise<void> {
    const file = await open(this.#pieces(id), "a", 0o600).then(async (handle) => {
      await handle.close();
      return await open(this.#pieces(id), "r+");
    });
    try {
      let position = start;
      for await (const chunk of source) {
        if (position + chunk.length > this.#maxBytes) throw tooLarge(this.#maxBytes);
        await file.write(chunk, 0, chunk.length, position);
        position += chunk.length;
      }
    } finally {
      await file.close();
    }
  }

  /** Makes the pieces a blob. Throws `artifacts/invalid` unless they are as long together as the client says. */
  async commitPieces(id: string, size: number): Promise<void> {
    await this.#locks.run(id, async () => {
      const found = await sizeOf(this.#pieces(id));
      if (found !== size) {
        throw new ArtifactsError(
          "artifacts/invalid",
          `Cannot finish the upload: ${found ?? 0} bytes came, not ${size}`,
        );
      }
      await rename(this.#pieces(id), this.#ready(id));
    });
  }

  async size(id: string): Promise<number | undefined> {
    return await sizeOf(this.#ready(id));
  }

  /** The blob must be there. */
  async digest(id: string): Promise<string> {
    const known = this.#digests.get(id);
    if (known !== undefined) return known;
    const hash = createHash("sha256");
    await pipeline(createReadStream(this.#ready(id)), hash);
    return `sha256:${hash.digest("hex")}`;
  }

  /** Both ends inclusive. The blob must be there. */
  read(id: string, range?: { readonly start: number; readonly end: number }): Readable {
    return createReadStream(this.#ready(id), range);
  }

  /** Nothing happens when there is none. */
  async remove(id: string): Promise<void> {
    this.#digests.delete(id);
    const paths = [this.#ready(id), this.#pieces(id), this.#blocks(id)];
    await Promise.all(paths.map((path) => rm(path, { recursive: true, force: true })));
  }

  /** Removes what nothing in `known` names and nobody has touched since `beforeMs`. */
  async sweep(known: ReadonlySet<string>, beforeMs: number): Promise<void> {
    for (const name of ["ready", "incoming"]) {
      for (const entry of await readdir(join(this.#folder, name))) {
        if (known.has(entry.split(".", 1)[0] ?? entry) && !entry.endsWith(".part")) continue;
        const path = join(this.#folder, name, entry);
        const found = await stat(path).catch(() => undefined);
        if (found !== undefined && found.mtimeMs < beforeMs) await rm(path, { recursive: true, force: true });
      }
    }
  }

  async *#joined(id: string, blocks: readonly string[]): ByteSource {
    for (const block of blocks) {
      const path = join(this.#blocks(id), blockName(block));
      if ((await sizeOf(path)) === undefined) {
        throw new ArtifactsError("artifacts/invalid", `Cannot join the blocks: "${block}" was never uploaded`);
      }
      yield* createReadStream(path) as ByteSource;
    }
  }

  async #write(file: string, source: ByteSource): Promise<StoredBlob> {
    const maxBytes = this.#maxBytes;
    const hash = createHash("sha256");
    let size = 0;
    await pipeline(
      async function* () {
        for await (const chunk of source) {
          size += chunk.length;
          if (size > maxBytes) throw tooLarge(maxBytes);
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(file, { mode: 0o600, flush: true }),
    );
    return { size, digest: `sha256:${hash.digest("hex")}` };
  }

  async #adopt(file: string, id: string, { digest }: StoredBlob): Promise<void> {
    await rename(file, this.#ready(id));
    if (this.#digests.size >= rememberedDigests) this.#digests.clear();
    this.#digests.set(id, digest);
  }

  #ready(id: string): string {
    return join(this.#folder, "ready", id);
  }

  #incoming(name: string): string {
    return join(this.#folder, "incoming", name);
  }

  #blocks(id: string): string {
    return this.#incoming(`${id}.blocks`);
  }

  #pieces(id: string): string {
    return this.#incoming(`${id}.pieces`);
  }
}

/** A name that no path can be made of. */
function blockName(block: string): string {
  return createHash("sha256").update(block).digest("hex");
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function tooLarge(maxBytes: number): ArtifactsError {
  return new ArtifactsError("artifacts/too-large", `The content is over the limit of ${maxBytes} bytes`);
}
