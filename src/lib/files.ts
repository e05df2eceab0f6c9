import { closeSync, fdatasync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, normalize, sep } from "node:path";
import { promisify } from "node:util";
import { errorCode } from "./errors.ts";
import { systemIds } from "./ids.ts";

/**
 * Replaces the file whole: a reader, or a crash at any instruction, sees the old content or the new, never a part.
 * The data is synced before the rename. Only that is waited for: the calls around it take less than promises for them.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  using draft = new Draft(path, data, mode);
  await synced(draft.file);
  draft.publish();
}

/**
 * As `writeFileAtomic`, but nothing waits for the disk: what was written survives this process however it ends, and not
 * a lost power supply. For what means nothing any more once the machine has started anew.
 */
export function writeFileWhole(path: string, data: string | Uint8Array, mode = 0o644): void {
  using draft = new Draft(path, data, mode);
  draft.publish();
}

const synced = promisify(fdatasync);

/** A file beside the one it is to replace; removed when it does not. */
class Draft implements Disposable {
  readonly file: number;
  readonly #path: string;
  readonly #draft: string;
  #published = false;

  constructor(path: string, data: string | Uint8Array, mode: number) {
    this.#path = path;
    this.#draft = `${path}.${systemIds.suffix(8)}.tmp`;
    this.file = openDraft(this.#draft, mode);
    try {
      writeFileSync(this.file, data);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  publish(): void {
    renameSync(this.#draft, this.#path);
    this.#published = true;
  }

  [Symbol.dispose](): void {
    closeSync(this.file);
    if (!this.#published) rmSync(this.#draft, { force: true });
  }
}

function openDraft(path: string, mode: number): number {
  try {
    return openSync(path, "wx", mode);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, "wx", mode);
  }
}

/** The file's text, or undefined when there is no such file. */
export async function readFileIfExists(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/**
 * `base` joined with a path that comes from outside, or undefined when it would leave `base` (`..`, absolute, NUL).
 * Symbolic links are the caller's concern.
 */
export function joinInside(base: string, relative: string): string | undefined {
  if (relative.includes("\0")) return undefined;
  const root = normalize(base);
  const joined = normalize(join(root, relative));
  const prefix = root.endsWith(sep) ? root : root + sep;
  return joined === root || joined.startsWith(prefix) ? joined : undefined;
}
