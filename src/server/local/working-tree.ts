/**
 * A folder as a repository that jobs can check out, what is not committed included: one more commit on top, in a
 * repository of our own that borrows the objects of the folder's. Nothing of the folder or its repository is written.
 */
import { copyFile, mkdir, rm, stat, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { CommandError, commandOutput, errorCode, runCommand } from "#lib";
import { LocalError } from "./errors.ts";

export interface WorkingTree {
  /** Root of the working tree, absolute. */
  readonly folder: string;
  /** `owner/name`: of the remote `origin`, else made of the folder's name. */
  readonly repository: string;
  /** Absent when it is no git repository. */
  readonly git?: {
    readonly objects: string;
    readonly index: string;
    /** Of a shallow clone. */
    readonly shallow: string;
    /** The commit checked out; absent while there is none. */
    readonly head?: string;
    readonly refs: ReadonlyMap<string, string>;
  };
  /** The branch checked out; of a detached head the default branch. */
  readonly branch: string;
  readonly defaultBranch: string;
}

export interface Snapshot {
  readonly sha: string;
  /** The commit before it; undefined for the first. */
  readonly before?: string;
  /** Whether it holds anything that is not committed. */
  readonly dirty: boolean;
}

export interface GitRunner {
  /** The user's own: what git ignores may depend on it. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const maxOutputBytes = 256 * 1024 * 1024;

export async function findWorkingTree(folder: string, runner: GitRunner): Promise<WorkingTree> {
  const at = resolve(folder);
  const found = await stat(at).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new LocalError("server/local-usage", `Cannot run what is in "${folder}": there is no such folder`);
  }
  const top = await ask(["-C", at, "rev-parse", "--show-toplevel"], runner);
  if (top === undefined) return { folder: at, repository: localName(at), branch: "main", defaultBranch: "main" };
  const [objects = "", index = "", shallow = ""] = (
    await git(["-C", top, "rev-parse", "--git-path", "objects", "--git-path", "index", "--git-path", "shallow"], runner)
  ).split("\n");
  const head = await ask(["-C", top, "rev-parse", "--quiet", "--verify", "HEAD^{commit}"], runner);
  const refs = readRefs(await git(["-C", top, "for-each-ref", "--format=%(objectname) %(refname)"], runner));
  const current = await ask(["-C", top, "symbolic-ref", "--quiet", "--short", "HEAD"], runner);
  const remoteHead = await ask(["-C", top, "symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"], runner);
  const url = await ask(["-C", top, "config", "--get", "remote.origin.url"], runner);
  const known = ["main", "master"].find((name) => refs.has(`refs/heads/${name}`));
  const defaultBranch = remoteHead?.replace("refs/remotes/origin/", "") ?? known ?? current ?? "main";
  return {
    folder: top,
    repository: (url === undefined ? undefined : nameOfUrl(url)) ?? localName(top),
    git: {
      objects: resolve(top, objects),
      index: resolve(top, index),
      shallow: resolve(top, shallow),
      ...(head === undefined ? {} : { head }),
      refs,
    },
    branch: current ?? defaultBranch,
    defaultBranch,
  };
}

/**
 * Makes `bare`, an empty repository, into one that has the tree's branches and tags, and its present state as the newest
 * commit of its branch. Files that git ignores are left out, as they would be by a push.
 */
export async function snapshot(tree: WorkingTree, bare: string, temp: string, runner: GitRunner): Promise<Snapshot> {
  const { git: source } = tree;
  await mkdir(temp, { recursive: true });
  const index = join(temp, "index");
  // A copy of the index knows which files have not changed: they are not read again.
  if (source !== undefined) {
    await writeFile(join(bare, "objects", "info", "alternates"), `${source.objects}\n`);
    await copyIfThere(source.index, index);
    await copyIfThere(source.shallow, join(bare, "shallow"));
    await takeRefs(source.refs, bare, runner);
  }
  // The folder's own repository says what is ignored and how files are read; what is written goes to ours.
  const place =
    source === undefined
      ? { GIT_DIR: bare, GIT_WORK_TREE: tree.folder }
      : { GIT_OBJECT_DIRECTORY: join(bare, "objects") };
  const adding = { env: { ...runner.env, ...place, GIT_INDEX_FILE: index }, signal: runner.signal };
  await git(["-C", tree.folder, ...quietAdd], adding);
  const treeId = await git(["-C", tree.folder, "write-tree"], adding);
  await rm(index, { force: true });
  const run = { env: { ...runner.env, ...author, GIT_DIR: bare }, signal: runner.signal };
  const head = source?.head;
  const committed = head === undefined ? undefined : await git(["rev-parse", `${head}^{tree}`], run);
  const dirty = treeId !== committed;
  const parents = head === undefined ? [] : ["-p", head];
  const sha =
    dirty || head === undefined
      ? await git(["commit-tree", treeId, ...parents, "-m", await subject(head, run)], run)
      : head;
  await git(["update-ref", `refs/heads/${tree.branch}`, sha], run);
  const before = dirty ? head : await ask(["rev-parse", "--quiet", "--verify", `${sha}~1`], run);
  return { sha, dirty, ...(before === undefined ? {} : { before }) };
}

const quietAdd = ["-c", "advice.addEmbeddedRepo=false", "-c", "core.safecrlf=false", "add", "-A"];

const author = {
  GIT_AUTHOR_NAME: "Working tree",
  GIT_AUTHOR_EMAIL: "working-tree@localhost",
  GIT_COMMITTER_NAME: "Working tree",
  GIT_COMMITTER_EMAIL: "working-tree@localhost",
};

async function subject(head: string | undefined, run: GitRunner): Promise<string> {
  if (head === undefined) return "Working tree";
  return `Working tree on top of: ${await git(["log", "-1", "--format=%s", head], run)}`;
}

/** Branches of `origin` count as branches where there is none of the same name here. */
async function takeRefs(refs: ReadonlyMap<string, string>, bare: string, runner: GitRunner): Promise<void> {
  const wanted = new Map<string, string>();
  for (const [name, id] of refs) {
    const remote = /^refs\/remotes\/origin\/(?!HEAD$)(.+)$/.exec(name)?.[1];
    if (remote !== undefined && !refs.has(`refs/heads/${remote}`)) wanted.set(`refs/heads/${remote}`, id);
    else if (/^refs\/(?:heads|tags)\//.test(name)) wanted.set(name, id);
  }
  const lines = [...wanted].map(([name, id]) => `update ${name} ${id}\n`).join("");
  if (lines === "") return;
  await commandOutput("git", ["--git-dir", bare, "update-ref", "--stdin"], { ...commandOf(runner), input: lines });
}

function readRefs(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => [line.slice(line.indexOf(" ") + 1), line.slice(0, line.indexOf(" "))]));
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

function commandOf({ env, signal }: GitRunner): {
  env: Record<string, string>;
  signal: AbortSignal;
  maxOutputBytes: number;
} {
  return { env: { ...env, LC_ALL: "C" }, signal, maxOutputBytes };
}

/** Standard output, or undefined for any exit code but 0. */
async function ask(args: readonly string[], runner: GitRunner): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await runCommand("git", args, commandOf(runner));
    const text = stdout.toString("utf8").trim();
    return exitCode === 0 && text !== "" ? text : undefined;
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    throw new LocalError("server/local-tree", 'Cannot read the working tree: "git" was not found on PATH', {
      cause: error,
    });
  }
}

async function git(args: readonly string[], runner: GitRunner): Promise<string> {
  try {
    return (await commandOutput("git", args, commandOf(runner))).toString("utf8").trim();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const said = error.details?.stderr.trim() ?? "";
    throw new LocalError("server/local-tree", `Cannot read the working tree: git says: ${said}`, { cause: error });
  }
}

/** `git@github.com:acme/shop.git`, `https://host/acme/shop`, `ssh://git@host/acme/shop.git`. */
function nameOfUrl(url: string): string | undefined {
  const [, owner = "", name = ""] = /[/:]([^/:]+)\/([^/]+?)(?:\.git)?\/?$/.exec(url) ?? [];
  return owner === "" || name === "" ? undefined : `${plain(owner)}/${plain(name)}`;
}

function localName(folder: string): string {
  return `local/${plain(basename(folder))}`;
}

/** A part of a repository's name out of any text. */
function plain(text: string): string {
  const kept = text
    .replaceAll(/[^\w.-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .replace(/\.git$/i, "")
    .slice(0, 80);
  return kept === "" ? "repository" : kept;
}
