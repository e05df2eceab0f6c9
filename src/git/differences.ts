/** What differs between two commits, file by file, with counts and patches. */
import { gitOutput, type GitRun } from "./git-process.ts";
import { GitError } from "./errors.ts";

export interface FileDifference {
  readonly path: string;
  /** Of a rename or copy. */
  readonly from?: string;
  readonly status: "added" | "modified" | "removed" | "renamed" | "copied" | "changed";
  /** Of the content after the change; of a removed file, before it. */
  readonly sha: string;
  readonly additions: number;
  readonly deletions: number;
  /** Hunks; absent for binary files, and where the whole is over its limit. */
  readonly patch?: string;
}

/** Patches are for reading: what is over this is told by counts. */
const maxPatchBytes = 8 * 1024 * 1024;
const emptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

const statuses: Readonly<Record<string, FileDifference["status"]>> = {
  A: "added",
  M: "modified",
  D: "removed",
  R: "renamed",
  C: "copied",
  T: "changed",
};

export interface Differences {
  /** Undefined `base`: everything is new. */
  files(base: string | undefined, head: string): Promise<readonly FileDifference[]>;
  /** As `git diff` prints it. */
  diff(base: string | undefined, head: string): Promise<Buffer>;
  /** The commits of a range as mails, as `git format-patch --stdout` prints them. */
  mails(base: string, head: string): Promise<Buffer>;
}

export function differences(run: GitRun): Differences {
  const pair = (base: string | undefined, head: string): string[] => [base ?? emptyTree, head].map(plain);
  return {
    async files(base, head) {
      const trees = pair(base, head);
      const raw = await gitOutput(["diff-tree", "-r", "-M", "-z", "--raw", "--numstat", "--no-abbrev", ...trees], run);
      const found = parseRaw(raw.toString("utf8"));
      const patches = await patchesOf(run, trees);
      return found.map((file, index) => {
        const patch = patches[index];
        return patch === undefined || patch === "" ? file : { ...file, patch };
      });
    },
    diff: async (base, head) =>
      await gitOutput(["diff-tree", "-r", "-p", "-M", "--full-index", ...pair(base, head)], run),
    mails: async (base, head) => await gitOutput(["format-patch", "--stdout", `${plain(base)}..${plain(head)}`], run),
  };
}

function plain(revision: string): string {
  if (/^[0-9a-f]{40,64}$/.test(revision)) return revision;
  throw new GitError("git/bad-request", `Cannot compare "${revision.slice(0, 80)}": not a whole object id`);
}

/** `--raw` and `--numstat` with `-z`: all raw records, then all counts, in the same order. Exported for its test. */
export function parseRaw(output: string): readonly FileDifference[] {
  const parts = output.split("\0");
  const files: Omit<FileDifference, "additions" | "deletions">[] = [];
  let at = 0;
  for (; parts[at]?.startsWith(":") === true; at += 1) {
    const [, , before = "", after = "", letter = ""] = (parts[at] ?? "").split(" ");
    const status = statuses[letter.charAt(0)] ?? "modified";
    const moved = status === "renamed" || status === "copied";
    const from = parts[++at] ?? "";
    const path = moved ? (parts[++at] ?? "") : from;
    const sha = /^0+$/.test(after) ? before : after;
    files.push({ path, status, sha, ...(moved ? { from } : {}) });
  }
  return files.map((file) => {
    const [additions = "", deletions = "", path = ""] = (parts[at++] ?? "").split("\t");
    // Of a rename the two paths follow as fields of their own.
    if (path === "") at += 2;
    return { ...file, additions: Number(additions) || 0, deletions: Number(deletions) || 0 };
  });
}

async function patchesOf(run: GitRun, trees: readonly string[]): Promise<readonly string[]> {
  try {
    const args = ["diff-tree", "-r", "-p", "-M", "--no-color", "--full-index", ...trees];
    return splitPatches((await gitOutput(args, { ...run, maxOutputBytes: maxPatchBytes })).toString("utf8"));
  } catch (error) {
    run.signal.throwIfAborted();
    if (error instanceof Error && error.message.includes("its output is over")) return [];
    throw error;
  }
}

/** The hunks of each file, from its first `@@` on; empty where there are none. Exported for its test. */
export function splitPatches(text: string): readonly string[] {
  return text
    .split(/^(?=diff --git )/m)
    .filter((section) => section.startsWith("diff --git "))
    .map((section) => {
      const at = section.search(/^@@ /m);
      return at < 0 ? "" : section.slice(at).replace(/\n$/, "");
    });
}
