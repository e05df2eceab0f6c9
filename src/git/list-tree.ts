/** All files below a folder, by reading trees. */
import type { BatchObject } from "./cat-file.ts";
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
  for (let below = take(folder, root); below.length > 0;) {
    const trees = await pipe().read(
      below.map((one) => one.sha),
      maxTreeBytes,
    );
    below = below.flatMap(({ path }, index) => take(path, trees[index]));
  }
  return flatten(folder);

  /** Notes what is in the folder, and returns the folders in it. */
  function take(
    path: string,
    tree: BatchObject | undefined,
  ): readonly { readonly path: string; readonly sha: string }[] {
    const entries = (tree === undefined ? [] : parseTreeObject(tree)).map((entry) => ({
      ...entry,
      path: `${path}/${entry.name}`,
    }));
    files.set(
      path,
      entries.map((entry) => entry.path),
    );
    return entries.filter(({ mode }) => mode === "40000");
  }

  function flatten(path: string): readonly string[] {
    return (files.get(path) ?? []).flatMap((one) => (files.has(one) ? flatten(one) : [one]));
  }
}
