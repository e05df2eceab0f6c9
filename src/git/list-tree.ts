/** All files below a folder, by reading trees. */
import { GitError } from "./errors.ts";
import type { ObjectPipe } from "./object-pipe.ts";
import { parseTreeObject } from "./raw-objects.ts";

/** Of one folder; a tree of a million files has less. */
const maxTreeBytes = 64 * 1024 * 1024;

/** In git's order, which is that of the bytes of the whole paths. Throws when there is no such commit. */
export async function listTree(pipe: () => ObjectPipe, sha: string, folder: string): Promise<readonly string[]> {
  const [root, commit] = await pipe().read([`${sha}:${folder}`, `${sha}^{tree}`], maxTreeBytes);
  if (commit === undefined) throw new GitError("git/not-found", `Cannot list files: there is no commit "${sha}"`);
  if (root === undefined) return [];
  if (root.type !== "tree") return [folder];
  const files = new Map<string, readonly string[]>();
  await readLevel([{ path: folder, sha: root.sha }]);
  return flatten(folder);

  async function readLevel(folders: readonly { readonly path: string; readonly sha: string }[]): Promise<void> {
    const trees = await pipe().read(
      folders.map((one) => one.sha),
      maxTreeBytes,
    );
    const below: { path: string; sha: string }[] = [];
    for (const [index, { path }] of folders.entries()) {
      const tree = trees[index];
      const entries = tree === undefined ? [] : parseTreeObject(tree);
      files.set(
        path,
        entries.map(({ name }) => `${path}/${name}`),
      );
      for (const { name, mode, sha: id } of entries)
        if (mode === "40000") below.push({ path: `${path}/${name}`, sha: id });
    }
    if (below.length > 0) await readLevel(below);
  }

  function flatten(path: string): readonly string[] {
    return (files.get(path) ?? []).flatMap((one) => (files.has(one) ? flatten(one) : [one]));
  }
}
