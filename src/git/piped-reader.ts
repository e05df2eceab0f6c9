/** An `ObjectReader` that answers without a process for each question what can be so answered. */
import type { BatchObject } from "./cat-file.ts";
import { GitError } from "./errors.ts";
import { listTree } from "./list-tree.ts";
import type { ObjectPipe } from "./object-pipe.ts";
import { isRevision, maxFileBytes, type ObjectReader, requireRevision } from "./objects.ts";
import type { CommitInfo } from "./plumbing.ts";
import { parseCommitObject } from "./raw-objects.ts";

/** Of many files read at once. */
const maxTotalBytes = 4 * maxFileBytes;

/**
 * @param plain answers the rest
 * @param pipe asked for each time: one that is idle may be closed in between
 */
export function pipedReader(plain: ObjectReader, pipe: () => ObjectPipe): ObjectReader {
  async function readFiles(sha: string, paths: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    requireRevision(sha);
    const usable = paths.filter((path) => !/[\n\0]/.test(path));
    const names = usable.map((path) => `${sha}:${path}`);
    const objects = withinTotal(await pipe().read(names, maxFileBytes));
    const found = new Map<string, Buffer>();
    for (const [index, object] of objects.entries()) {
      const path = usable[index];
      if (path !== undefined && object?.type === "blob") found.set(path, object.content);
    }
    return found;
  }

  async function commitInfo(sha: string): Promise<CommitInfo | undefined> {
    if (!isRevision(sha)) return undefined;
    const [object] = await pipe().read([`${sha}^{commit}`], maxFileBytes);
    return object === undefined ? undefined : (parseCommitObject(object) ?? (await plain.commitInfo(sha)));
  }

  /** Commit by commit; git has to say in which order those come that a merge brought together. */
  async function log(revision: string, limit: number, until?: string): Promise<readonly CommitInfo[]> {
    const found: CommitInfo[] = [];
    for (let next: string | undefined = revision; next !== undefined && next !== until && found.length < limit;) {
      const commit = await commitInfo(next);
      if (commit === undefined || commit.parents.length > 1) return await plain.log(revision, limit);
      found.push(commit);
      next = commit.parents[0];
    }
    return found;
  }

  return {
    ...plain,
    log,
    readFiles,
    commitInfo,
    async resolve(revision) {
      if (!isRevision(revision)) return undefined;
      return (await pipe().read([`${revision}^{commit}`], maxFileBytes))[0]?.sha;
    },
    async idsOf(sha, paths) {
      requireRevision(sha);
      const names = paths.map((path) => `${sha}:${path}`);
      const objects = await pipe().read(names, maxFileBytes);
      return new Map(objects.flatMap((object, at) => (object === undefined ? [] : [[paths[at] ?? "", object.sha]])));
    },
    async readFile(sha, path) {
      return (await readFiles(sha, [path])).get(path);
    },
    async listFiles(sha, under = "") {
      requireRevision(sha);
      const folder = under.replace(/^\.?\/+|\/+$/g, "");
      // Of everything git's own list is quicker.
      if (folder === "" || folder === "." || /[\n\0]/.test(folder)) return await plain.listFiles(sha, under);
      return await listTree(pipe, sha, folder);
    },
    async isAncestor(ancestor, descendant) {
      requireRevision(ancestor);
      // What most pushes are: one commit on top.
      const parents = (await commitInfo(descendant))?.parents ?? [];
      return parents.includes(ancestor) || (await plain.isAncestor(ancestor, descendant));
    },
  };
}

function withinTotal(objects: readonly (BatchObject | undefined)[]): readonly (BatchObject | undefined)[] {
  const total = objects.reduce((sum, object) => sum + (object?.content.length ?? 0), 0);
  if (total <= maxTotalBytes) return objects;
  throw new GitError("git/too-large", `Cannot read ${objects.length} files: they have ${total} bytes together`);
}
