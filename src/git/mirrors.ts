/** Local copies of repositories that live elsewhere, brought up to date on demand. For GitOps from any git URL. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { errorMessage, KeyedLock, sha256Hex, TaskGroup, withDeadline, type Clock, type Log } from "#lib";
import { GitError } from "./errors.ts";
import { checkGit, gitEnvironment, gitOutput } from "./git-process.ts";
import { materialise, type MaterialiseOptions } from "./materialise.ts";
import { objectReader, type ObjectReader } from "./objects.ts";
import { watchPackSize } from "./pack-size.ts";
import { parseRefs } from "./plumbing.ts";
import { awaitRefLocks } from "./recovery.ts";
import { basicAuthorization, parseRemoteUrl } from "./remote-url.ts";
import { explain, remoteConfig } from "./transfer.ts";

export interface MirrorsOptions {
  /** Owned by one server at a time; may be deleted while it is down. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Folders to find git in, as in PATH. */
  readonly searchPath?: string;
  /** Largest repository that is copied; default 2 GiB. */
  readonly maxBytes?: number;
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  /** Instead of those in the URL. They reach git by its environment, never by its arguments. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** Default 2 minutes. */
  readonly timeoutMs?: number;
}

export interface RemoteCopy extends Pick<ObjectReader, "resolve"> {
  /** A bare repository with the remote's branches, tags and `HEAD` as of the fetch. */
  readonly folder: string;
  readonly reader: ObjectReader;
  materialise(sha: string, folder: string, options?: MaterialiseOptions): Promise<void>;
}

export async function openMirrors(options: MirrorsOptions): Promise<Mirrors> {
  const searchPath = options.searchPath ?? "/usr/local/bin:/usr/bin:/bin";
  await checkGit(searchPath, new AbortController().signal);
  await mkdir(options.folder, { recursive: true });
  return new Mirrors({ ...options, searchPath });
}

export class Mirrors {
  readonly #options: MirrorsOptions & { readonly searchPath: string };
  readonly #locks = new KeyedLock();
  /** Copies that this process has looked after once: no lock of a killed fetch is left in them. */
  readonly #clean = new Set<string>();

  constructor(options: MirrorsOptions & { readonly searchPath: string }) {
    this.#options = options;
  }

  /** Brings the copy up to date: one question when nothing has changed. Throws `git/remote`, `git/bad-request`. */
  async fetch(text: string, options: FetchOptions): Promise<RemoteCopy> {
    const remote = parseRemoteUrl(text);
    const { credentials } = options;
    const authorization =
      credentials === undefined ? remote.authorization : basicAuthorization(credentials.username, credentials.password);
    const folder = join(this.#options.folder, `${sha256Hex(remote.url).slice(0, 32)}.git`);
    const signal = withDeadline(options.signal, options.timeoutMs ?? 120_000);
    const environment = gitEnvironment(this.#options, remoteConfig(remote.url, authorization), {
      GIT_ALLOW_PROTOCOL: "http:https:file",
    });
    const run = { folder, environment, signal };
    try {
      await this.#locks.run(folder, () => this.#update(remote.url, run));
    } catch (cause) {
      options.signal.throwIfAborted();
      if (cause instanceof GitError) throw cause;
      const found = signal.aborted ? "it took too long" : explain(errorMessage(cause));
      throw new GitError("git/remote", `Cannot fetch "${remote.url}": ${found}`, { cause });
    }
    const reader = objectReader({ folder, environment: gitEnvironment(this.#options), signal: options.signal });
    return {
      folder,
      reader,
      resolve: (revision) => reader.resolve(revision),
      materialise: (sha, target, how) =>
        materialise({ folder, environment: gitEnvironment(this.#options), signal: options.signal }, sha, target, how),
    };
  }

  async #update(url: string, run: { folder: string; environment: Record<string, string>; signal: AbortSignal }) {
    const { clock, log } = this.#options;
    await gitOutput(["init", "--bare", "--quiet", "--template="], run);
    if (!this.#clean.has(run.folder)) await awaitRefLocks(run.folder, clock, log, run.signal);
    this.#clean.add(run.folder);
    const answer = (await gitOutput(["ls-remote", "--symref", "--", url], run)).toString("utf8");
    const there = remoteRefs(answer);
    const here = parseRefs(
      (await gitOutput(["for-each-ref", "--format=%(objectname) %(refname)"], run)).toString("utf8"),
    );
    if (!sameRefs(there.refs, here)) await this.#fetch(url, run);
    if (there.head !== undefined) await gitOutput(["symbolic-ref", "HEAD", there.head], run);
  }

  async #fetch(url: string, run: { folder: string; environment: Record<string, string>; signal: AbortSignal }) {
    await using watch = new TaskGroup((error) => this.#options.log.warn("Cannot watch a fetch", { error }));
    const tooLarge = new AbortController();
    const { clock, maxBytes = 2 * 1024 ** 3 } = this.#options;
    watch.start("size", (signal) => watchPackSize({ folder: run.folder, maxBytes, clock, tooLarge, signal }));
    const args = ["fetch", "--quiet", "--prune", "--no-write-fetch-head", "--no-recurse-submodules", "--", url];
    const signal = AbortSignal.any([run.signal, tooLarge.signal]);
    await gitOutput([...args, "+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"], { ...run, signal });
  }
}

/** `git ls-remote --symref`: branches and tags, and the branch that HEAD names. */
function remoteRefs(output: string): { head: string | undefined; refs: ReadonlyMap<string, string> } {
  const refs = new Map<string, string>();
  let head: string | undefined;
  for (const line of output.split("\n")) {
    const [value = "", name = ""] = line.split("\t");
    if (name === "HEAD" && value.startsWith("ref: refs/heads/")) head = value.slice("ref: ".length);
    else if (/^refs\/(?:heads|tags)\//.test(name) && !name.endsWith("^{}")) refs.set(name, value);
  }
  return { head, refs };
}

function sameRefs(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a.size === b.size && [...a].every(([ref, sha]) => b.get(ref) === sha);
}
