/** Keeps the folder of layers from growing without end: the longest unused blobs go first. */
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";

export interface TrimOptions {
  readonly maxBytes: number;
  /** Blobs used after this moment stay, whatever their size: a build may be reading them. */
  readonly usedBefore: Temporal.Instant;
}

interface CachedFile {
  readonly path: string;
  readonly size: number;
  readonly usedMs: number;
}

/** Returns the bytes removed. A build that runs meanwhile loses nothing it uses. */
export async function trimImageCache(cacheFolder: string, options: TrimOptions): Promise<number> {
  const files = await cachedFiles(join(cacheFolder, "blobs"));
  return await removeFiles(files, options);
}

async function cachedFiles(folder: string): Promise<CachedFile[]> {
  const files: CachedFile[] = [];
  for (const name of await readdir(folder).catch((): string[] => [])) {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isFile() === true)
      files.push({ path, size: stats.size, usedMs: Math.max(stats.mtimeMs, stats.atimeMs) });
  }
  return files;
}

async function removeFiles(files: readonly CachedFile[], options: TrimOptions): Promise<number> {
  let total = files.reduce((sum, file) => sum + file.size, 0);
  let removed = 0;
  for (const file of files.toSorted((a, b) => a.usedMs - b.usedMs)) {
    if (total <= options.maxBytes || file.usedMs >= options.usedBefore.epochMilliseconds) break;
    await rm(file.path, { force: true });
    total -= file.size;
    removed += file.size;
  }
  return removed;
}
