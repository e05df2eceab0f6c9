/** Repositories as the workflows room wants to read them. */
import { fnv1a32 } from "#lib";
import { type CommitInfo, isProtectedBranch, type Repositories } from "#git";
import { type CommitFacts, isWorkflowPath, type WorkflowSourcePort } from "#workflows";

const zero = /^0+$/;
const folders = [".github/workflows", ".forgejo/workflows"] as const;

export function workflowSource(repositories: Repositories): WorkflowSourcePort {
  return {
    async repository(name) {
      const { id, defaultBranch } = await repositories.require(name);
      return { id: fnv1a32(id), defaultBranch, private: true };
    },
    async isProtected(name, ref) {
      const protections = await repositories.protections(name);
      return ref.startsWith("refs/heads/") && (protections.length === 0 || isProtectedBranch(ref, protections));
    },
    async files(name, sha, { signal }) {
      const reader = await repositories.reader(name, signal);
      const paths = (await Promise.all(folders.map((folder) => reader.listFiles(sha, folder)))).flat();
      const files = await reader.readFiles(sha, paths.filter(isWorkflowPath));
      return [...files].map(([path, content]) => ({ path, text: content.toString("utf8") }));
    },
    async defaultHead(name, { signal }) {
      return await defaultHead(repositories, name, signal);
    },
    async changedPaths(name, before, after, { signal }) {
      if (zero.test(before)) return undefined;
      const reader = await repositories.reader(name, signal);
      if ((await reader.commitInfo(before)) === undefined) return undefined;
      return (await reader.changedFiles(before, after)).map((file) => file.path);
    },
    async commits(name, before, after, limit, { signal }) {
      if (zero.test(after)) return [];
      const reader = await repositories.reader(name, signal);
      const log = await reader.log(after, limit, before);
      const end = log.findIndex((commit) => commit.sha === before);
      return (end < 0 ? log : log.slice(0, end)).map(commitFacts).reverse();
    },
  };
}

/** Undefined while the repository has no commit, or is gone. */
export async function defaultHead(
  repositories: Repositories,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly ref: string; readonly sha: string } | undefined> {
  const repository = await repositories.get(name);
  if (repository === undefined) return undefined;
  const ref = `refs/heads/${repository.defaultBranch}`;
  const sha = await (await repositories.reader(repository.name, signal)).resolve(ref);
  return sha === undefined ? undefined : { ref, sha };
}

function commitFacts(commit: CommitInfo): CommitFacts {
  const { author, committer } = commit;
  return {
    id: commit.sha,
    treeId: commit.tree,
    message: commit.message,
    timestamp: committer.date,
    author: { name: author.name, email: author.email },
    committer: { name: committer.name, email: committer.email },
  };
}
