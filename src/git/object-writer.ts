/** Stores objects as a client hands them over. No ref moves: what nothing names is harmless and stays unseen. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EditedTree, requirePath, type EditableFiles } from "./edited-tree.ts";
import { GitError } from "./errors.ts";
import { gitOutput, runGit, type GitRun } from "./git-process.ts";
import { isObjectId } from "./names.ts";
import type { Signature } from "./plumbing.ts";

/** What is stored at a path: `sha` undefined removes it. */
export interface TreeChange {
  readonly path: string;
  readonly mode: "100644" | "100755" | "040000" | "160000" | "120000";
  readonly sha: string | undefined;
}

interface NewCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly author: Signature;
  readonly committer: Signature;
}

interface NewTag {
  readonly name: string;
  readonly object: string;
  readonly type: "commit" | "tree" | "blob" | "tag";
  readonly message: string;
  readonly tagger: Signature;
}

export interface ObjectWriter {
  /** The id of the stored content. */
  writeBlob(content: Uint8Array): Promise<string>;
  /** A tree with the changes over `base`, or over nothing. Throws `git/bad-request` for what cannot be a tree. */
  writeTree(base: string | undefined, changes: readonly TreeChange[]): Promise<string>;
  /** The tree of edited files; undefined when the edit changes nothing. */
  editTree(base: string | undefined, edit: (files: EditableFiles) => Promise<void> | void): Promise<string | undefined>;
  /** Throws `git/bad-request` when the tree or a parent is not there. */
  writeCommit(commit: NewCommit): Promise<string>;
  writeTag(tag: NewTag): Promise<string>;
}

export function objectWriter(run: GitRun): ObjectWriter {
  async function inIndex<T>(work: (run: GitRun) => Promise<T>): Promise<T> {
    const scratch = await mkdtemp(join(tmpdir(), "tidegate-tree-"));
    try {
      return await work({ ...run, environment: { ...run.environment, GIT_INDEX_FILE: join(scratch, "index") } });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  return {
    async writeBlob(content) {
      const output = await gitOutput(["hash-object", "-w", "--stdin", "--no-filters"], { ...run, input: content });
      return output.toString("utf8").trim();
    },
    writeTree: async (base, changes) => await inIndex((scratch) => writeTree(scratch, base, changes)),
    editTree: async (base, edit) =>
      await inIndex(async (scratch) => {
        const files = new EditedTree(scratch, base);
        await edit(files);
        return await files.writeTree();
      }),
    writeCommit: (commit) => writeCommit(run, commit),
    writeTag: (tag) => writeTag(run, tag),
  };
}

async function writeTree(run: GitRun, base: string | undefined, changes: readonly TreeChange[]): Promise<string> {
  if (base !== undefined) await gitOutput(["read-tree", requireId(base)], run);
  for (const change of changes) requirePath(change.path);
  // A folder is put in place whole, so what was there goes first.
  const folders = changes.filter((change) => change.mode === "040000" && change.sha !== undefined);
  const removed = [...folders, ...changes.filter((change) => change.sha === undefined)].map(({ path }) => path);
  if (removed.length > 0) {
    const listed = await gitOutput(["ls-files", "-z", "--", ...removed.map((path) => `:(literal)${path}`)], run);
    const gone = listed.toString("utf8").split("\0").filter(Boolean);
    const input = gone.map((path) => `0 ${"0".repeat(40)}\t${path}\0`).join("");
    await gitOutput(["update-index", "-z", "--index-info"], { ...run, input });
  }
  const lines = changes.flatMap(({ path, mode, sha }) =>
    sha === undefined || mode === "040000" ? [] : [`${mode} ${requireId(sha)}\t${path}\0`],
  );
  await refusing("the tree", async () => {
    await gitOutput(["update-index", "-z", "--add", "--replace", "--index-info"], { ...run, input: lines.join("") });
    for (const { path, sha } of folders) await gitOutput(["read-tree", `--prefix=${path}/`, requireId(sha ?? "")], run);
  });
  return await refusing("the tree", async () => (await gitOutput(["write-tree"], run)).toString("utf8").trim());
}

async function writeCommit(run: GitRun, commit: NewCommit): Promise<string> {
  const { author, committer } = commit;
  const environment = {
    ...run.environment,
    ...person("AUTHOR", author),
    ...person("COMMITTER", committer),
  };
  for (const id of [commit.tree, ...commit.parents]) requireId(id);
  await requireType(run, commit.tree, "tree");
  for (const parent of commit.parents) await requireType(run, parent, "commit");
  const parents = commit.parents.flatMap((parent) => ["-p", parent]);
  const args = ["commit-tree", commit.tree, ...parents];
  const input = commit.message.endsWith("\n") ? commit.message : `${commit.message}\n`;
  return await refusing("the commit", async () =>
    (await gitOutput(args, { ...run, environment, input })).toString("utf8").trim(),
  );
}

async function writeTag(run: GitRun, tag: NewTag): Promise<string> {
  const { name, email, date } = tag.tagger;
  await requireType(run, requireId(tag.object), tag.type);
  const seconds = Math.floor(Temporal.Instant.from(date).epochMilliseconds / 1000);
  const head = `object ${tag.object}\ntype ${tag.type}\ntag ${tag.name}\n`;
  const input = `${head}tagger ${clean(name)} <${clean(email)}> ${seconds} +0000\n\n${tag.message.trimEnd()}\n`;
  return await refusing("the tag", async () => (await gitOutput(["mktag"], { ...run, input })).toString("utf8").trim());
}

function person(role: "AUTHOR" | "COMMITTER", { name, email, date }: Signature): Record<string, string> {
  return {
    [`GIT_${role}_NAME`]: clean(name) || "unknown",
    [`GIT_${role}_EMAIL`]: clean(email),
    [`GIT_${role}_DATE`]: date,
  };
}

/** What git itself takes out of names. */
function clean(text: string): string {
  return text.replaceAll(/[<>\n\0]/g, "").trim();
}

async function requireType(run: GitRun, id: string, type: string): Promise<void> {
  const result = await runGit(["cat-file", "-t", id], run);
  const found = result.exitCode === 0 ? result.stdout.toString("utf8").trim() : "nothing";
  if (found !== type) throw new GitError("git/bad-request", `Cannot use "${id}" as a ${type}: it is ${found}`);
}

function requireId(id: string): string {
  if (isObjectId(id)) return id;
  throw new GitError("git/bad-request", `Cannot use "${id.slice(0, 80)}": not a whole object id`);
}

/** What git refuses of what a client gave is the client's to mend. */
async function refusing<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const stderr = (cause as { details?: { stderr?: string } }).details?.stderr?.trim();
    if (stderr === undefined || stderr === "") throw cause;
    throw new GitError("git/bad-request", `Cannot store ${what}: ${stderr.split("\n")[0] ?? ""}`, { cause });
  }
}
