/** Questions about the past of a repository that need more than one commit. */
import { GitError } from "./errors.ts";
import { parseBatch } from "./cat-file.ts";
import { killedBy, gitOutput, runGit, spawnGit, type GitRun } from "./git-process.ts";
import { commitFormat, parseCommits, type CommitInfo } from "./plumbing.ts";

interface HistoryQuery {
  /** Whole object id. */
  readonly revision: string;
  /** Whole object id whose history is left out. */
  readonly without?: string;
  readonly path?: string;
  readonly author?: string;
  /** RFC 3339. */
  readonly since?: string;
  readonly until?: string;
  readonly skip?: number;
  readonly limit: number;
}

interface RawEntry {
  readonly path: string;
  readonly mode: string;
  readonly type: "blob" | "tree" | "commit";
  readonly sha: string;
  readonly size: number | undefined;
}

export interface History {
  commits(query: HistoryQuery): Promise<readonly CommitInfo[]>;
  /** How many commits each of the two has that the other has not. */
  apart(left: string, right: string): Promise<{ readonly left: number; readonly right: number }>;
  /** Any object by its whole id. */
  object(sha: string): Promise<{ readonly type: string; readonly content: Buffer } | undefined>;
  /** A tree as it is stored; undefined when there is none. `recursive` also lists what is below its folders. */
  entries(sha: string, recursive: boolean): Promise<readonly RawEntry[] | undefined>;
  /** Refs below a prefix with what they point at: the object itself, a tag object too. */
  refsBelow(prefix: string): Promise<readonly { readonly ref: string; readonly sha: string; readonly type: string }[]>;
  /** The commit's files packed, below a folder of that name. */
  archive(sha: string, format: "tar.gz" | "zip", folder: string): AsyncGenerator<Buffer, void, undefined>;
}

const maxObjectBytes = 100 * 1024 * 1024;

export function history(run: GitRun): History {
  return {
    async commits(query) {
      const range = query.without === undefined ? [id(query.revision)] : [id(query.revision), `^${id(query.without)}`];
      const args = ["log", "-z", `--max-count=${Math.trunc(query.limit)}`, `--format=${commitFormat}`];
      if (query.skip !== undefined) args.push(`--skip=${Math.trunc(query.skip)}`);
      if (query.author !== undefined) args.push("--fixed-strings", `--author=${query.author}`);
      if (query.since !== undefined) args.push(`--since=${query.since}`);
      if (query.until !== undefined) args.push(`--until=${query.until}`);
      const paths = query.path === undefined ? [] : [`:(literal)${query.path}`];
      const result = await runGit([...args, ...range, "--", ...paths], run);
      return result.exitCode === 0 ? parseCommits(result.stdout.toString("utf8")) : [];
    },
    async apart(left, right) {
      const output = await gitOutput(["rev-list", "--left-right", "--count", `${id(left)}...${id(right)}`], run);
      const [a = "0", b = "0"] = output.toString("utf8").trim().split(/\s+/);
      return { left: Number(a), right: Number(b) };
    },
    async object(sha) {
      const input = `${id(sha)}\n`;
      const output = await gitOutput(["cat-file", "--batch"], { ...run, input, maxOutputBytes: maxObjectBytes });
      return parseBatch(output)[0];
    },
    async entries(sha, recursive) {
      const args = ["ls-tree", "-z", "-l", "--full-tree", ...(recursive ? ["-r", "-t"] : []), id(sha)];
      const result = await runGit(args, run);
      return result.exitCode === 0 ? parseEntries(result.stdout.toString("utf8")) : undefined;
    },
    async refsBelow(prefix) {
      const args = ["for-each-ref", "--format=%(refname) %(objectname) %(objecttype)"];
      const output = (await gitOutput(args, run)).toString("utf8");
      return output
        .split("\n")
        .filter((line) => line.startsWith(prefix))
        .map((line) => {
          const [ref = "", sha = "", type = ""] = line.split(" ");
          return { ref, sha, type };
        });
    },
    async *archive(sha, format, folder) {
      const args = ["--git-dir", run.folder, "archive", `--format=${format}`, `--prefix=${folder}/`, id(sha)];
      const child = await spawnGit(args, run.environment);
      child.stderr.resume();
      child.stdin?.end();
      using _killed = killedBy(child, run.signal);
      for await (const chunk of child.stdout as AsyncIterable<Buffer>) yield chunk;
    },
  };
}

function parseEntries(output: string): readonly RawEntry[] {
  return output
    .split("\0")
    .filter((record) => record !== "")
    .map((record) => {
      const tab = record.indexOf("\t");
      const [mode = "", type = "", sha = "", size = "-"] = record.slice(0, tab).split(/\s+/);
      return {
        path: record.slice(tab + 1),
        mode,
        type: type === "tree" || type === "commit" ? type : "blob",
        sha,
        size: size === "-" ? undefined : Number(size),
      };
    });
}

function id(text: string): string {
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text)) return text;
  throw new GitError("git/bad-request", `Cannot read "${text.slice(0, 80)}": not a whole object id`);
}
