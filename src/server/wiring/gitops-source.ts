/** Repositories as GitOps wants to read them: ours directly, others through local copies. */
import { GitError, type Mirrors, type ObjectReader, type Repositories } from "#git";
import type { SourcePort } from "#gitops";
import type { FileTree, TreeEntry } from "#render";
import { AppError, CommandError } from "#lib";
import { ownRepository } from "./addresses.ts";

class SourceError extends AppError<"server/unknown-revision" | "server/unknown-repository"> {}

export function gitopsSource(repositories: Repositories, mirrors: Mirrors): SourcePort {
  async function readerOf(repoURL: string, signal: AbortSignal): Promise<ObjectReader> {
    const own = ownRepository(repoURL);
    if (own === undefined) return (await mirrors.fetch(repoURL, { signal })).reader;
    if ((await repositories.get(own)) === undefined) {
      const message = `Cannot read "${own}": there is no such repository here; push it first or correct spec.source.repoURL`;
      throw new SourceError("server/unknown-repository", message);
    }
    return await repositories.reader(own, signal);
  }
  return {
    async resolve(repoURL, targetRevision, signal) {
      const reader = await readerOf(repoURL, signal);
      const revision = await reader.resolve(targetRevision);
      if (revision !== undefined) return { revision };
      const message = `Cannot find revision "${targetRevision}" in the repository: push it or correct spec.source.targetRevision`;
      throw new SourceError("server/unknown-revision", message);
    },
    open: async (repoURL, revision, _path, signal) => await commitTree(await readerOf(repoURL, signal), revision),
    matches: (repoURL, pushed) => ownRepository(repoURL) === pushed,
    announces: (repoURL) => ownRepository(repoURL) !== undefined,
  };
}

/** Up to this many files are read ahead with one git process; the others, each as it is asked for. */
const readAheadBelow = 300;
/** What renderings ask for. The rest of a repository (pictures, archives) is nothing to us, whatever its size. */
const manifestLike = /\.(?:ya?ml|json|env|properties|conf|txt)$|(?:^|\/)Kustomization$/;

async function commitTree(reader: ObjectReader, sha: string): Promise<FileTree> {
  const paths = await reader.listFiles(sha);
  const ahead = paths.filter((path) => manifestLike.test(path));
  const files = ahead.length <= readAheadBelow ? await readAhead(reader, sha, ahead) : undefined;
  const folders = foldersOf(paths);
  const known = new Set(paths);
  return {
    async read(path) {
      if (!known.has(path)) return undefined;
      return files?.get(path) ?? (await reader.readFile(sha, path));
    },
    list: (folder) => Promise.resolve([...(folders.get(folder)?.values() ?? [])]),
  };
}

/** Undefined when together they are too large: those that are asked for may well not be. */
async function readAhead(
  reader: ObjectReader,
  sha: string,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Buffer> | undefined> {
  try {
    return await reader.readFiles(sha, paths);
  } catch (error) {
    if (error instanceof CommandError || error instanceof GitError) return undefined;
    throw error;
  }
}

function foldersOf(paths: readonly string[]): Map<string, Map<string, TreeEntry>> {
  const folders = new Map<string, Map<string, TreeEntry>>();
  const put = (folder: string, entry: TreeEntry): void => {
    const entries = folders.get(folder) ?? new Map<string, TreeEntry>();
    entries.set(entry.name, entry);
    folders.set(folder, entries);
  };
  for (const path of paths) {
    const parts = path.split("/");
    parts.forEach((name, index) => {
      put(parts.slice(0, index).join("/"), { name, type: index === parts.length - 1 ? "file" : "folder" });
    });
  }
  return folders;
}
