/** Gets one commit of a repository, with what authorises that in files that only git and we read. */
import { join } from "node:path";
import { backoffDelayMs, readFileIfExists } from "#lib";
import { StepFailure } from "../errors.ts";
import type { ActionCall } from "./builtin-action.ts";
import type { GitRemote } from "./git/git-remote.ts";
import { ownServerPatienceMs } from "./own-server.ts";

export interface GitSource {
  /** What to fetch and what to call it afterwards. */
  readonly want: GitWant;
  /** 0 fetches everything. */
  readonly depth: number;
  readonly tags: boolean;
  /** What is left on the server until it is needed, as `git fetch --filter` takes it. */
  readonly filter?: string;
  /** Which files are written down. */
  readonly sparse?: SparseFiles;
  /** With the large files that Git LFS keeps beside the repository. */
  readonly large?: boolean;
}

interface SparseFiles {
  /** Folders, or patterns as in `.gitignore`. */
  readonly cone: boolean;
  readonly patterns: readonly string[];
}

export type GitWant =
  | { readonly kind: "branch"; readonly name: string; readonly commit: string }
  /** `whole`: with the object that an annotated tag is, which the run's own event does not know. */
  | { readonly kind: "tag"; readonly name: string; readonly commit: string; readonly whole?: boolean }
  | { readonly kind: "pull"; readonly name: string; readonly commit: string }
  | { readonly kind: "commit"; readonly commit: string };

const again = { initialMs: 100, factor: 2, maxMs: 1000, jitter: 0 };

/** Runs a git command that asks the server, again while that is away: it may be restarting, and the job need not end. */
async function runRemote(
  call: ActionCall,
  { credentials, env }: GitRemote,
  command: readonly string[],
  cwd: string,
): Promise<string> {
  const args = ["-c", `include.path=${credentials}`, ...command];
  const options = { env, quiet: true, cwd };
  const { clock } = call.parts;
  const untilMs = clock.monotonicMs() + ownServerPatienceMs;
  for (let attempt = 0; ; attempt++) {
    const end = await call.try("git", args, options);
    if (end.exitCode === 0) return end.stdout;
    const name = args.find((arg) => /^(?:lfs|fetch|ls-remote)$/.test(arg)) ?? "";
    if (!isAway(end.tail) || clock.monotonicMs() > untilMs)
      throw new StepFailure(`The process "git ${name}" failed with exit code ${end.exitCode}: ${end.tail}`);
    if (attempt === 0) call.log(`The server does not answer, trying on: ${end.tail}`);
    await clock.sleep(backoffDelayMs(again, attempt, 0), call.step.stop);
  }
}

/** Whether git could not reach the server or was cut off, as against being refused (401, 403, no such repository). */
function isAway(stderr: string): boolean {
  const unreached = /couldn't connect|failed to connect|connection (?:refused|reset|timed out)|empty reply/i;
  const cutOff = /recv failure|early eof|hung up|unexpected disconnect|transfer closed|rpc failed|bad line length/i;
  return unreached.test(stderr) || cutOff.test(stderr) || /returned error: (?:5\d\d|429)/i.test(stderr);
}

/** Fetches into the repository at `folder` and checks the commit out. Returns the commit. */
export async function fetchAndCheckout(
  call: ActionCall,
  folder: string,
  source: GitSource,
  remote: GitRemote,
): Promise<string> {
  // With a filter, what is to be written down is only fetched then.
  const git = (args: readonly string[]): Promise<string> =>
    call.run("git", ["-c", `include.path=${remote.credentials}`, ...args], {
      cwd: folder,
      env: remote.env,
      quiet: true,
    });
  const { want } = source;
  const whole = source.depth === 0;
  const tags = source.tags || whole;
  const refspecs = [
    ...(whole ? ["+refs/heads/*:refs/remotes/origin/*"] : []),
    ...(tags ? ["+refs/tags/*:refs/tags/*"] : []),
    // Git refuses two sources for one name: beside the wildcards the commit comes without a name.
    whole || (tags && want.kind === "tag") || want.kind === "commit"
      ? want.commit
      : `+${sourceName(want)}:${localName(want)}`,
  ];
  const fetch = [
    "-c",
    "protocol.version=2",
    "fetch",
    "--no-tags",
    "--prune",
    "--no-recurse-submodules",
    "--quiet",
    ...(whole ? [] : [`--depth=${source.depth}`]),
    ...(source.filter === undefined ? [] : [`--filter=${source.filter}`]),
    "origin",
    ...refspecs,
  ];
  await runRemote(call, remote, fetch, folder);
  // The branch may have moved on since the run started; the job is about its own commit.
  if (whole && want.kind !== "tag" && want.kind !== "commit") await git(["update-ref", localName(want), want.commit]);
  // All at once; of some files only, each as it is written down.
  if (source.large === true && source.sparse === undefined) {
    await runRemote(call, remote, ["lfs", "fetch", "origin", want.commit], folder);
  }
  await chooseFiles(git, folder, source.sparse);
  const checkout = ["checkout", "--quiet", "--force"];
  if (want.kind === "branch") await git([...checkout, "-B", want.name, localName(want)]);
  else await git([...checkout, "--detach", want.commit]);
  return await git(["rev-parse", "HEAD"]);
}

async function chooseFiles(
  git: (args: readonly string[]) => Promise<string>,
  folder: string,
  sparse: SparseFiles | undefined,
): Promise<void> {
  if (sparse === undefined) {
    // Of a checkout that was there before.
    if ((await readFileIfExists(join(folder, ".git", "info", "sparse-checkout"))) !== undefined) {
      await git(["sparse-checkout", "disable"]);
    }
    return;
  }
  if (sparse.cone) await git(["sparse-checkout", "set", "--cone", "--", ...sparse.patterns]);
  else await git(["sparse-checkout", "set", "--no-cone", "--", ...sparse.patterns]);
}

function sourceName(want: GitWant): string {
  return want.kind === "tag" && want.whole === true ? `refs/tags/${want.name}` : want.commit;
}

/** What the commit is called in the workspace's repository; one that was asked for by its id has no name. */
function localName(want: Exclude<GitWant, { kind: "commit" }>): string {
  switch (want.kind) {
    case "branch":
      return `refs/remotes/origin/${want.name}`;
    case "tag":
      return `refs/tags/${want.name}`;
    case "pull":
      return `refs/remotes/pull/${want.name}`;
  }
}

/** What a full ref and its commit mean to fetch. */
export function wantOf(ref: string, commit: string): GitWant {
  const [, kind, name = ""] = /^refs\/(heads|tags|pull)\/(.+)$/.exec(ref) ?? [];
  if (kind === "heads") return { kind: "branch", name, commit };
  if (kind === "tags") return { kind: "tag", name, commit };
  return kind === "pull" ? { kind: "pull", name, commit } : { kind: "commit", commit };
}

export function isCommit(ref: string): boolean {
  return /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/i.test(ref);
}

/** Asks the server what a ref given by name (or the default branch) stands for. */
export async function findRef(call: ActionCall, folder: string, remote: GitRemote, ref: string): Promise<GitWant> {
  if (isCommit(ref)) return { kind: "commit", commit: ref.toLowerCase() };
  const patterns = ref === "" ? ["HEAD"] : [ref, `${ref}^{}`];
  // In the repository itself: what authorises for one around it is not for this.
  const list = await runRemote(call, remote, ["ls-remote", "--symref", "--", remote.url, ...patterns], folder);
  const refs = new Map<string, string>();
  for (const line of list.split("\n")) {
    const [value = "", name = ""] = line.split("\t");
    refs.set(value.startsWith("ref: ") ? "symref" : name, value.startsWith("ref: ") ? value.slice(5) : value);
  }
  const wanted =
    ref === ""
      ? [refs.get("symref") ?? "HEAD"]
      : ref.startsWith("refs/")
        ? [ref]
        : [`refs/heads/${ref}`, `refs/tags/${ref}`];
  for (const name of wanted) {
    const commit = refs.get(`${name}^{}`) ?? refs.get(name) ?? (ref === "" ? refs.get("HEAD") : undefined);
    const want = commit === undefined ? undefined : wantOf(name, commit);
    if (want !== undefined) return want.kind === "tag" ? { ...want, whole: true } : want;
  }
  const what = ref === "" ? "a default branch" : `"${ref}"`;
  throw new StepFailure(
    `A branch or tag with the name ${what} could not be found in ${remote.repository}: check "ref"`,
  );
}
