/** Git has no limit on what it fetches; this is one. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "#lib";
import { GitError } from "./errors.ts";

const lookAtSizeMs = 500;

export interface SizeWatch {
  readonly folder: string;
  readonly maxBytes: number;
  readonly clock: Clock;
  /** Aborted with `git/too-large`. */
  readonly tooLarge: AbortController;
  readonly signal: AbortSignal;
}

/** Until the signal aborts, or the packs of the repository are too large. */
export async function watchPackSize({ folder, maxBytes, clock, tooLarge, signal }: SizeWatch): Promise<void> {
  for (;;) {
    await clock.sleep(lookAtSizeMs, signal);
    if ((await packBytes(folder)) <= maxBytes) continue;
    tooLarge.abort(new GitError("git/too-large", `Cannot copy a repository: it is over ${maxBytes} bytes`));
    return;
  }
}

async function packBytes(folder: string): Promise<number> {
  const packs = join(folder, "objects", "pack");
  let size = 0;
  for (const name of await readdir(packs).catch(() => [])) {
    // A pack may be renamed between the two looks.
    size += await stat(join(packs, name)).then(
      (found) => found.size,
      () => 0,
    );
  }
  return size;
}
