/** The build context: the folder without what `.dockerignore` leaves out, as a tree whose contents stay on disk. */
import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { readFileIfExists } from "#lib";
import { parseIgnoreFile, type IgnoreRules } from "../dockerignore.ts";
import { ImageTree } from "./tree.ts";

/** Reads ignore rules: `<Dockerfile>.dockerignore` wins over `.dockerignore`. */
export async function readIgnoreRules(contextFolder: string, dockerfilePath: string): Promise<IgnoreRules> {
  const own = await readFileIfExists(`${dockerfilePath}.dockerignore`);
  const text = own ?? (await readFileIfExists(join(contextFolder, ".dockerignore"))) ?? "";
  return parseIgnoreFile(text);
}

/**
 * Walks the folder. Modes become 0755 or 0644 by the owner's execute bit, as git keeps them: a checkout under another
 * umask must give the same image.
 */
export async function readContext(folder: string, ignore: IgnoreRules, signal: AbortSignal): Promise<ImageTree> {
  const tree = new ImageTree();
  await walk(folder, "", ignore, tree, signal);
  return tree;
}

async function walk(
  root: string,
  path: string,
  ignore: IgnoreRules,
  tree: ImageTree,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const names = await readdir(join(root, path));
  for (const name of names.sort()) {
    const child = path === "" ? name : `${path}/${name}`;
    if (ignore.prunes(child)) continue;
    const full = join(root, child);
    const stats = await lstat(full);
    const kept = !ignore.ignores(child);
    if (stats.isDirectory()) {
      if (kept) tree.set(child, { kind: "directory", mode: 0o755, uid: 0, gid: 0 });
      await walk(root, child, ignore, tree, signal);
    } else if (kept && stats.isSymbolicLink()) {
      tree.set(child, { kind: "symlink", mode: 0o777, uid: 0, gid: 0, target: await readlink(full) });
    } else if (kept && stats.isFile()) {
      const mode = (stats.mode & 0o100) === 0 ? 0o644 : 0o755;
      const content = { kind: "disk", path: full } as const;
      tree.set(child, { kind: "file", mode, uid: 0, gid: 0, size: stats.size, content });
    }
  }
}

/** The Dockerfile's text, whatever `.dockerignore` says of it. */
export async function readDockerfile(path: string): Promise<string> {
  return await readFile(path, "utf8");
}
