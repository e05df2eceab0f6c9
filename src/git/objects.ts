/** Reads commits, trees and files of one bare repository, or of a push in quarantine. Every answer is bounded. */
import { GitError } from "./errors.ts";
import { isObjectId } from "./names.ts";
import { gitOutput, runGit, type GitRun } from "./git-process.ts";
import { parseBatch } from "./cat-file.ts";
import { commitFormat, parseCommits, parseNameStatus, parseTree } from "./plumbing.ts";
import type { ChangedFile, CommitInfo, TreeEntry } from "./plumbing.ts";

/** Largest file `readFile` returns: far above any file a person writes. */
export const maxFileBytes = 16 * 1024 * 1024;

export interface ObjectReader {
  /** The commit a branch, tag, `HEAD` or (abbreviated) id names; undefined when it names none. */
  resolve(revision: string): Promise<string | undefined>;
  /** Entries of a folder; undefined when there is no such folder. */
  readTree(sha: string, path?: string): Promise<readonly TreeEntry[] | undefined>;
  /** The ids of files and folders: the same id has the same content. Paths that are not there are absent. */
  idsOf(sha: string, paths: readonly string[]): Promise<ReadonlyMap<string, string>>;
  readFile(sha: string, path: string): Promise<Buffer | undefined>;
  /** Many files with one process; paths that are no files are absent from the answer. */
  readFiles(sha: string, paths: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  /** All file paths below `under` (a folder or a file), in git's order. */
  listFiles(sha: string, under?: string): Promise<readonly string[]>;
  /** The newest first. `until` and what is behind it need not be given. */
  log(revision: string, limit: number, until?: string): Promise<readonly CommitInfo[]>;
  commitInfo(sha: string): Promise<CommitInfo | undefined>;
  /** Files that differ between two trees; forty zeros stand for the empty tree. Renames show as delete and add. */
  changedFiles(before: string, after: string): Promise<readonly ChangedFile[]>;
  isAncestor(ancestor: string, descendant: string): Promise<boolean>;
  /** The best common ancestor of two commits, if they have one. */
  mergeBase(a: string, b: string): Promise<string | undefined>;
  /** Commits of branches and tags that what is new in `sha` begins from; `sha` itself when nothing is new. */
  edges(sha: string): Promise<readonly string[]>;
}

/** An `ObjectReader` over a repository folder; `environment` may point git at quarantined objects. */
export function objectReader(base: Omit<GitRun, "input" | "maxOutputBytes">): ObjectReader {
  async function readFiles(sha: string, paths: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
    requireRevision(sha);
    const usable = paths.filter((path) => !/[\n\0]/.test(path));
    if (usable.length === 0) return new Map();
    const input = usable.map((path) => `${sha}:${path}\n`).join("");
    const output = await gitOutput(["cat-file", "--batch"], { ...base, input, maxOutputBytes: 4 * maxFileBytes });
    const found = new Map<string, Buffer>();
    for (const [index, object] of parseBatch(output).entries()) {
      const path = usable[index];
      if (path !== undefined && object?.type === "blob") found.set(path, object.content);
    }
    return found;
  }

  async function log(revision: string, limit: number): Promise<readonly CommitInfo[]> {
    if (!isRevision(revision)) return [];
    const args = ["log", "-z", `--max-count=${Math.trunc(limit)}`, `--format=${commitFormat}`, revision, "--"];
    const result = await runGit(args, base);
    return result.exitCode === 0 ? parseCommits(result.stdout.toString("utf8")) : [];
  }

  return {
    async resolve(revision) {
      if (!isRevision(revision)) return undefined;
      const result = await runGit(["rev-parse", "--verify", "--quiet", `${revision}^{commit}`], base);
      const sha = result.stdout.toString("utf8").trim();
      return result.exitCode === 0 && sha !== "" ? sha : undefined;
    },
    async readTree(sha, path = "") {
      requireRevision(sha);
      const result = await runGit(["ls-tree", "-z", "-l", "--full-tree", `${sha}:${path}`], base);
      return result.exitCode === 0 ? parseTree(result.stdout.toString("utf8")) : undefined;
    },
    idsOf: (sha, paths) => idsOf(base, sha, paths),
    async readFile(sha, path) {
      const files = await readFiles(sha, [path]);
      const content = files.get(path);
      if (content !== undefined && content.length > maxFileBytes) {
        throw new GitError("git/too-large", `Cannot read "${path}": it is over ${maxFileBytes} bytes`);
      }
      return content;
    },
    readFiles,
    async listFiles(sha, under = "") {
      requireRevision(sha);
      const args = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", sha];
      const folder = under.replace(/^\.?\/+|\/+$/g, "");
      if (folder !== "" && folder !== ".") args.push("--", folder);
      const output = await gitOutput(args, base);
      return output
        .toString("utf8")
        .split("\0")
        .filter((path) => path !== "");
    },
    log,
    async commitInfo(sha) {
      return (await log(sha, 1))[0];
    },
    async changedFiles(before, after) {
      const trees = [treeOf(before), treeOf(after)];
      const output = await gitOutput(["diff-tree", "-r", "-z", "--no-renames", "--name-status", ...trees], base);
      return parseNameStatus(output.toString("utf8"));
    },
    async isAncestor(ancestor, descendant) {
      requireRevision(ancestor);
      requireRevision(descendant);
      const result = await runGit(["merge-base", "--is-ancestor", ancestor, descendant], base);
      return result.exitCode === 0;
    },
    async mergeBase(a, b) {
      requireRevision(a);
      requireRevision(b);
      const result = await runGit(["merge-base", a, b], base);
      return result.exitCode === 0 ? result.stdout.toString("utf8").trim() : undefined;
    },
    edges: (sha) => edges(base, sha),
  };
}

async function idsOf(base: GitRun, sha: string, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  requireRevision(sha);
  const input = paths.map((path) => `${sha}:${path}\n`).join("");
  const output = await gitOutput(["cat-file", "--batch-check=%(objectname)"], { ...base, input });
  const lines = output.toString("utf8").split("\n");
  return new Map(paths.flatMap((path, at) => (isObjectId(lines[at] ?? "") ? [[path, lines[at] ?? ""]] : [])));
}

async function edges(base: GitRun, sha: string): Promise<readonly string[]> {
  requireRevision(sha);
  const args = ["rev-list", "--boundary", sha, "--not", "--branches", "--tags"];
  const lines = (await gitOutput(args, base)).toString("utf8").split("\n");
  if (lines.every((line) => line === "")) return [sha];
  return lines.filter((line) => line.startsWith("-")).map((line) => line.slice(1));
}

/** Nothing that git would read as an option, a range or a path. */
export function isRevision(text: string): boolean {
  return text !== "" && text.length <= 1000 && !text.startsWith("-") && !/[\s\0:]|\.\./.test(text);
}

export function requireRevision(text: string): void {
  if (!isRevision(text)) throw new GitError("git/bad-request", `Cannot read "${text}": not a revision`);
}

/** Git knows this tree without it being stored. */
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

function treeOf(sha: string): string {
  requireRevision(sha);
  return /^0+$/.test(sha) ? emptyTree : `${sha}^{tree}`;
}
