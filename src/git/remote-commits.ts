/**
 * Single commits of repositories that live elsewhere, each brought once and kept: for actions, of which one wants a
 * version and not the history. A ref stays what it was when it was learnt, until somebody asks for it anew, so that what
 * worked goes on to work without a network.
 *
 * `<folder>/<id of the URL>/<commit>.git` is a bare repository of that commit alone, there from the moment it is whole;
 * `refs.json` beside them says what refs were learnt to name.
 */
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  errorCode,
  errorMessage,
  fromTimestamp,
  isAbort,
  isObject,
  KeyedLock,
  sha256Hex,
  TaskGroup,
  withDeadline,
  writeFileAtomic,
  type Clock,
  type Ids,
  type Log,
} from "#lib";
import { archiveCommit } from "./archive.ts";
import { GitError } from "./errors.ts";
import { checkGit, gitEnvironment, gitOutput, type GitRun } from "./git-process.ts";
import { isObjectId } from "./names.ts";
import { objectReader, type ObjectReader } from "./objects.ts";
import { watchPackSize } from "./pack-size.ts";
import { basicAuthorization, parseRemoteUrl } from "./remote-url.ts";
import { explain, remoteConfig } from "./transfer.ts";

export interface RemoteCommitsOptions {
  /** Owned by one server at a time; may be deleted while it is down. */
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Folders to find git in, as in PATH. */
  readonly searchPath?: string;
  /** Of one commit; default 1 GiB. */
  readonly maxBytes?: number;
}

export interface RemoteRepository {
  /** Without credentials. */
  readonly url: string;
  readonly credentials?: { readonly username: string; readonly password: string };
}

export interface LearntRef {
  readonly kind: "branch" | "tag" | "commit";
  /** In full; of a commit, its id. */
  readonly ref: string;
  readonly sha: string;
  /** RFC 3339. */
  readonly learntAt: string;
}

interface Waiting {
  readonly signal: AbortSignal;
}

const fetchMs = 300_000;
/** A host that says nothing at all by then is away; git itself would wait for minutes. */
const askMs = 30_000;

export async function openRemoteCommits(options: RemoteCommitsOptions): Promise<RemoteCommits> {
  const searchPath = options.searchPath ?? "/usr/local/bin:/usr/bin:/bin";
  await checkGit(searchPath, new AbortController().signal);
  await mkdir(options.folder, { recursive: true });
  for (const id of await readdir(options.folder)) {
    const inside = await readdir(join(options.folder, id)).catch(() => []);
    const drafts = inside.filter((name) => name.startsWith("draft-"));
    for (const name of drafts) await rm(join(options.folder, id, name), { recursive: true, force: true });
  }
  return new RemoteCommits({ ...options, searchPath });
}

export class RemoteCommits {
  readonly #options: RemoteCommitsOptions & { readonly searchPath: string };
  readonly #locks = new KeyedLock();

  constructor(options: RemoteCommitsOptions & { readonly searchPath: string }) {
    this.#options = options;
  }

  /** What a branch, tag or whole commit was learnt to be, if its files are here. */
  async known(url: string, ref: string): Promise<LearntRef | undefined> {
    const learnt = (await this.#refs(url)).get(ref);
    return learnt !== undefined && (await this.has(url, learnt.sha)) ? learnt : undefined;
  }

  /**
   * What the ref is, its files brought here. The host is asked when that is not known, or learnt longer ago than
   * `maxAgeMs`; when it cannot be reached then, what is known counts. Undefined when there is no such ref or repository.
   * Throws `git/remote`, `git/too-large`.
   */
  async resolve(
    remote: RemoteRepository,
    ref: string,
    { signal, maxAgeMs }: Waiting & { readonly maxAgeMs?: number },
  ): Promise<LearntRef | undefined> {
    return await this.#locks.run(remote.url, async () => {
      const known = await this.known(remote.url, ref);
      if (known !== undefined && (known.kind === "commit" || !this.#isOld(known, maxAgeMs))) return known;
      try {
        return await this.#learn(remote, ref, signal);
      } catch (error) {
        // 0 means: now, or not at all.
        if (known === undefined || maxAgeMs === 0 || errorCode(error) !== "git/remote") throw error;
        this.#options.log.warn("A ref of another host could not be asked for again", { url: remote.url, ref, error });
        return known;
      }
    });
  }

  /** Of a commit that is here. */
  reader(url: string, sha: string, signal: AbortSignal): ObjectReader {
    return objectReader({ folder: this.#folderOf(url, sha), environment: gitEnvironment(this.#options), signal });
  }

  archive(url: string, sha: string, signal: AbortSignal): AsyncIterable<Buffer> {
    return archiveCommit({ folder: this.#folderOf(url, sha), environment: gitEnvironment(this.#options), signal }, sha);
  }

  /** By URL. */
  async list(): Promise<readonly { readonly url: string; readonly refs: ReadonlyMap<string, LearntRef> }[]> {
    const ids = await readdir(this.#options.folder);
    const files = await Promise.all(ids.map((id) => readRefs(join(this.#options.folder, id, "refs.json"))));
    const found = files.filter(({ url }) => url !== "");
    return found.toSorted((a, b) => (a.url < b.url ? -1 : 1));
  }

  #isOld({ learntAt }: LearntRef, maxAgeMs: number | undefined): boolean {
    if (maxAgeMs === undefined) return false;
    return this.#options.clock.now().epochMilliseconds - fromTimestamp(learntAt).epochMilliseconds >= maxAgeMs;
  }

  #folderOf(url: string, sha = ""): string {
    const folder = join(this.#options.folder, sha256Hex(url).slice(0, 32));
    return sha === "" ? folder : join(folder, `${sha}.git`);
  }

  /** Whether the files of the commit are here. */
  async has(url: string, sha: string): Promise<boolean> {
    return isObjectId(sha) && (await isThere(this.#folderOf(url, sha)));
  }

  async #refs(url: string): Promise<ReadonlyMap<string, LearntRef>> {
    return (await readRefs(join(this.#folderOf(url), "refs.json"))).refs;
  }

  /** Asks the host, brings what it says, and notes it. */
  async #learn(remote: RemoteRepository, ref: string, signal: AbortSignal): Promise<LearntRef | undefined> {
    const { url } = parseRemoteUrl(remote.url);
    const deadline = withDeadline(signal, fetchMs);
    const asking = withDeadline(signal, askMs);
    try {
      const found = isObjectId(ref)
        ? ({ kind: "commit", ref, sha: ref } as const)
        : await this.#ask(remote, url, ref, asking);
      if (found === undefined) return undefined;
      if (!(await this.#bring(remote, url, found, deadline))) return undefined;
      const learnt = { ...found, learntAt: this.#options.clock.now().toString({ smallestUnit: "millisecond" }) };
      const refs = { ...Object.fromEntries(await this.#refs(remote.url)), [ref]: learnt };
      const text = `${JSON.stringify({ url: remote.url, refs }, undefined, 2)}\n`;
      await writeFileAtomic(join(this.#folderOf(remote.url), "refs.json"), text);
      return learnt;
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof GitError) throw cause;
      const late = deadline.aborted || isAbort(cause) || cause === asking.reason;
      const reason = late ? "it took too long" : explain(errorMessage(cause));
      if (saysAbsent(reason, remote.credentials !== undefined)) return undefined;
      throw new GitError("git/remote", `Cannot fetch "${ref}" of "${url}": ${reason}`, { cause });
    }
  }

  async #ask(
    remote: RemoteRepository,
    url: string,
    name: string,
    signal: AbortSignal,
  ): Promise<Omit<LearntRef, "learntAt"> | undefined> {
    const folder = join(this.#folderOf(remote.url), "ask.git");
    const run = this.#run(remote, url, folder, signal);
    await mkdir(folder, { recursive: true });
    await gitOutput(["init", "--bare", "--quiet", "--template="], run);
    const short = name.replace(/^refs\/(?:heads|tags)\//, "");
    const wanted = [`refs/tags/${short}`, `refs/heads/${short}`];
    const patterns = [...wanted, `refs/tags/${short}^{}`];
    const output = await gitOutput(["ls-remote", "--", url, ...patterns], run);
    const lines = output
      .toString("utf8")
      .split("\n")
      .map((line) => line.split("\t"));
    const refs = new Map(lines.map(([sha = "", ref = ""]) => [ref, sha]));
    // As git has it where both fit: tags before branches.
    const ref = name.startsWith("refs/") ? name : wanted.find((one) => refs.has(one));
    const sha = ref === undefined ? undefined : (refs.get(`${ref}^{}`) ?? refs.get(ref));
    if (ref === undefined || sha === undefined || !isObjectId(sha)) return undefined;
    return { kind: ref.startsWith("refs/tags/") ? "tag" : "branch", ref, sha };
  }

  /** False when the host has no such commit. */
  async #bring(
    remote: RemoteRepository,
    url: string,
    { ref, sha }: Pick<LearntRef, "ref" | "sha">,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (await this.has(remote.url, sha)) return true;
    const draft = join(this.#folderOf(remote.url), `draft-${this.#options.ids.suffix(8)}`);
    const run = this.#run(remote, url, draft, signal);
    try {
      await mkdir(draft, { recursive: true });
      const format = sha.length === 64 ? ["--object-format=sha256"] : [];
      await gitOutput(["init", "--bare", "--quiet", "--template=", ...format], run);
      await this.#fetch(url, ref, sha, run);
      const reader = objectReader({ ...run, environment: gitEnvironment(this.#options) });
      if ((await reader.resolve(sha)) !== sha) return false;
      await rename(draft, this.#folderOf(remote.url, sha));
      return true;
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }

  async #fetch(url: string, ref: string, sha: string, run: GitRun): Promise<void> {
    await using watch = new TaskGroup((error) => this.#options.log.warn("Cannot watch a fetch", { error }));
    const tooLarge = new AbortController();
    const { clock, maxBytes = 1024 ** 3 } = this.#options;
    watch.start("size", (signal) => watchPackSize({ folder: run.folder, maxBytes, clock, tooLarge, signal }));
    const limited = { ...run, signal: AbortSignal.any([run.signal, tooLarge.signal]) };
    const common = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
    const kept = "refs/kept/commit";
    try {
      await gitOutput([...common, "--depth=1", "--", url, `+${sha}:${kept}`], limited);
    } catch (error) {
      limited.signal.throwIfAborted();
      if (!isNotAdvertised(errorMessage(error))) throw error;
      // An older server gives out only what a ref names, or what is below one.
      const refs = ref === sha ? ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"] : [`+${ref}:${kept}`];
      const depth = ref === sha ? [] : ["--depth=1"];
      await gitOutput([...common, ...depth, "--", url, ...refs], limited);
    }
  }

  #run(remote: RemoteRepository, url: string, folder: string, signal: AbortSignal): GitRun {
    const { credentials } = remote;
    const authorization =
      credentials === undefined ? undefined : basicAuthorization(credentials.username, credentials.password);
    const environment = gitEnvironment(this.#options, remoteConfig(url, authorization), {
      GIT_ALLOW_PROTOCOL: "http:https:file",
    });
    return { folder, environment, signal };
  }
}

async function readRefs(
  file: string,
): Promise<{ readonly url: string; readonly refs: ReadonlyMap<string, LearntRef> }> {
  const value: unknown = await readFile(file, "utf8").then(
    (text) => JSON.parse(text) as unknown,
    () => undefined,
  );
  if (!isObject(value) || !isObject(value["refs"])) return { url: "", refs: new Map() };
  return {
    url: String(value["url"]),
    refs: new Map(Object.entries(value["refs"]) as [string, LearntRef][]),
  };
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Whether a host said that it has no such repository or commit, as against not answering. One that would ask for a
 * password says so of what is not there, too: it tells nobody which names it has.
 */
function saysAbsent(reason: string, identified: boolean): boolean {
  if (/not found|does not appear to be|does not exist|not our ref|couldn't find remote ref/i.test(reason)) return true;
  return !identified && /could not read (?:Username|Password)|Authentication failed/i.test(reason);
}

function isNotAdvertised(message: string): boolean {
  return /unadvertised object|not our ref|allow request for/i.test(message);
}
