/** Merges commits without a working tree. Writes objects; no ref moves. */
import { GitError } from "./errors.ts";
import { gitOutput, runGit, type GitRun } from "./git-process.ts";
import { isObjectId } from "./names.ts";
import { objectWriter } from "./object-writer.ts";
import { commitFormat, parseCommits, type CommitInfo, type Signature } from "./plumbing.ts";

/** Either the merged tree, or the paths where the two sides cannot be brought together. */
type MergeResult =
  | { readonly kind: "clean"; readonly tree: string }
  | { readonly kind: "conflict"; readonly paths: readonly string[] };

type RebaseResult =
  | { readonly kind: "clean"; readonly head: string }
  | { readonly kind: "conflict"; readonly commit: string; readonly paths: readonly string[] };

export interface Merging {
  /** What merging the two commits gives, by the real `git merge-tree`. */
  mergeTrees(ours: string, theirs: string): Promise<MergeResult>;
  /** The commits of `head` that `base` has not, one by one on top of `base`; authors stay, merges are left out. */
  rebase(base: string, head: string, committer: Signature): Promise<RebaseResult>;
}

/** More than anybody reads; a rebase of them takes about ten seconds. */
const maxRebasedCommits = 250;

export function merging(run: GitRun): Merging {
  return {
    mergeTrees: (ours, theirs) => mergeTrees(run, ours, theirs),
    rebase: (base, head, committer) => rebase(run, base, head, committer),
  };
}

async function mergeTrees(run: GitRun, ours: string, theirs: string): Promise<MergeResult> {
  for (const id of [ours, theirs]) {
    if (!isObjectId(id)) throw new GitError("git/bad-request", `Cannot merge "${id}": not a whole object id`);
  }
  const args = ["merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", "--allow-unrelated-histories"];
  const result = await runGit([...args, ours, theirs], run);
  const [tree = "", ...paths] = result.stdout.toString("utf8").split("\0");
  if (result.exitCode === 0) return { kind: "clean", tree: tree.trim() };
  if (result.exitCode === 1) return { kind: "conflict", paths: [...new Set(paths.filter((path) => path !== ""))] };
  if (/usage: git merge-tree|unknown (?:option|switch)/.test(result.stderr)) {
    throw new GitError("git/unsupported", "Cannot merge: git 2.38 or later is needed for pull requests; update git");
  }
  throw new GitError("git/bad-request", `Cannot merge: ${result.stderr.trim().split("\n")[0] ?? ""}`);
}

async function rebase(run: GitRun, base: string, head: string, committer: Signature): Promise<RebaseResult> {
  const args = ["log", "-z", "--reverse", "--no-merges", "--topo-order", `--format=${commitFormat}`];
  const output = await gitOutput([...args, `--max-count=${maxRebasedCommits + 1}`, `${base}..${head}`, "--"], run);
  const commits = parseCommits(output.toString("utf8"));
  if (commits.length > maxRebasedCommits) {
    throw new GitError("git/too-large", `Cannot rebase more than ${maxRebasedCommits} commits: merge or squash them`);
  }
  let onto = base;
  for (const commit of commits) {
    const picked = await pick(run, onto, commit, committer);
    if (picked.kind === "conflict") return picked;
    onto = picked.head;
  }
  return { kind: "clean", head: onto };
}

/**
 * What a commit changed, done to `onto`: a merge whose common ancestor is the commit's parent. `merge-tree` finds the
 * ancestor by itself, so it is given three commits that have just that history (older git has no `--merge-base`).
 */
async function pick(run: GitRun, onto: string, commit: CommitInfo, committer: Signature): Promise<RebaseResult> {
  const writer = objectWriter(run);
  const treeOf = async (id: string): Promise<string> =>
    (await gitOutput(["rev-parse", `${id}^{tree}`], run)).toString("utf8").trim();
  const stand = async (tree: string, parents: readonly string[]): Promise<string> =>
    await writer.writeCommit({ tree, parents, message: "merge base", author: committer, committer });
  const [parent] = commit.parents;
  const before = parent === undefined ? await writer.writeTree(undefined, []) : await treeOf(parent);
  const ancestor = await stand(before, []);
  const ours = await stand(await treeOf(onto), [ancestor]);
  const theirs = await stand(commit.tree, [ancestor]);
  const merged = await mergeTrees(run, ours, theirs);
  if (merged.kind === "conflict") return { kind: "conflict", commit: commit.sha, paths: merged.paths };
  const { author, message } = commit;
  const head = await writer.writeCommit({ tree: merged.tree, parents: [onto], message, author, committer });
  return { kind: "clean", head };
}
