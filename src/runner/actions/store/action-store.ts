/**
 * Archives of actions on the runner's disk, by commit: each is downloaded once for all jobs. `<commit>.tar` is there
 * whole or not at all, with the digest of its files in `<commit>.digest` beside it. Jobs get copies of their own: what a
 * job changes in one is not what the next job runs.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { KeyedLock, readFileIfExists, writeFileAtomic, type Clock, type Ids, type Log } from "#lib";
import { BadActionArchive, drain, readActionArchive } from "#workflows";
import { StepFailure } from "../../errors.ts";
import { unpackAction } from "./unpack-action.ts";

export interface ActionStoreOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** Hands an archive to `take`; may call it again from the start when the connection broke. */
export type Download = (take: (archive: AsyncIterable<Uint8Array>) => Promise<void>) => Promise<void>;

/** More than the files of the largest action that is unpacked: headers and padding. */
const maxArchiveBytes = 1.25 * 1024 ** 3;

export class ActionStore {
  readonly #options: ActionStoreOptions;
  readonly #locks = new KeyedLock();

  constructor(options: ActionStoreOptions) {
    this.#options = options;
  }

  /**
   * Puts the files of the commit into the folder, which appears with all of them. Returns their digest.
   *
   * @param wanted the digest that they must have
   */
  async unpack(
    commit: string,
    folder: string,
    options: {
      readonly wanted?: { readonly digest: string; readonly at: string } | undefined;
      readonly signal: AbortSignal;
    },
    download: Download,
  ): Promise<string> {
    const { wanted, signal } = options;
    const draft = `${folder}.${this.#options.ids.suffix(8)}`;
    try {
      const digest = await this.#unpackTo(commit, draft, download, signal);
      if (wanted !== undefined && wanted.digest !== digest) {
        const found = `${wanted.at} says that the files of ${commit} have the digest ${wanted.digest}, and it is ${digest}`;
        throw new StepFailure(`${found}. Somebody changed the lock or the files: find out who before you lock again`);
      }
      await mkdir(dirname(folder), { recursive: true });
      await rename(draft, folder);
      return digest;
    } catch (error) {
      if (error instanceof BadActionArchive) throw new StepFailure(error.message, error);
      throw error;
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }

  async #unpackTo(commit: string, draft: string, download: Download, signal: AbortSignal): Promise<string> {
    const path = join(this.#options.folder, `${commit}.tar`);
    await this.#locks.run(commit, async () => {
      if (!(await isThere(path))) await this.#bring(path, download, signal);
    });
    const found = await this.#read(path, draft, signal);
    if (found !== undefined) return found;
    // A full disk, or somebody who thinks that jobs share this: it is not what came.
    this.#options.log.warn("An action on the runner's disk is not what it was: downloaded again", { commit });
    await rm(draft, { recursive: true, force: true });
    await this.#locks.run(commit, async () => await this.#bring(path, download, signal));
    const again = await this.#read(path, draft, signal);
    if (again === undefined) throw new StepFailure(`The files of ${commit} changed while they were read`);
    return again;
  }

  /** Undefined when the archive is not what was once downloaded. */
  async #read(path: string, draft: string, signal: AbortSignal): Promise<string | undefined> {
    const known = await readFileIfExists(digestFile(path));
    const found = await unpackAction(createReadStream(path), draft, signal).catch((error: unknown) => {
      if (error instanceof BadActionArchive) return undefined;
      throw error;
    });
    if (found === undefined || known === undefined || found.digest !== known.trim()) return undefined;
    const now = this.#options.clock.now().epochMilliseconds / 1000;
    await utimes(path, now, now);
    return found.digest;
  }

  async #bring(path: string, download: Download, signal: AbortSignal): Promise<void> {
    await mkdir(dirname(path), { recursive: true });
    const draft = `${path}.${this.#options.ids.suffix(8)}`;
    try {
      await download(async (archive) => {
        await pipeline(archive, atMost(maxArchiveBytes), createWriteStream(draft), { signal });
      });
      const { digest } = await readActionArchive(createReadStream(draft), drain, { signal });
      await writeFileAtomic(digestFile(path), `${digest}\n`);
      await rename(draft, path);
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** Removes what was unused the longest until the rest fits; and what an earlier process left half done. */
  async trim(maxBytes: number): Promise<void> {
    const { folder } = this.#options;
    const names = await readdir(folder).catch((): string[] => []);
    const archives: { readonly path: string; readonly bytes: number; readonly usedMs: number }[] = [];
    for (const name of names) {
      const path = join(folder, name);
      if (/^[0-9a-f]+\.tar$/.test(name)) {
        const found = await stat(path);
        archives.push({ path, bytes: found.size, usedMs: found.mtimeMs });
      } else if (!/^[0-9a-f]+\.digest$/.test(name)) await rm(path, { recursive: true, force: true });
    }
    let left = maxBytes;
    for (const { path, bytes } of archives.toSorted((a, b) => b.usedMs - a.usedMs)) {
      left -= bytes;
      if (left >= 0) continue;
      await rm(path, { force: true });
      await rm(digestFile(path), { force: true });
    }
  }
}

function digestFile(path: string): string {
  return path.replace(/\.tar$/, ".digest");
}

function atMost(bytes: number): Transform {
  let left = bytes;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      left -= chunk.length;
      done(left < 0 ? new BadActionArchive(`its archive is over ${bytes} bytes`) : null, chunk);
    },
  });
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
