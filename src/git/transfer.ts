/**
 * Brings objects from one repository into another. Only objects: refs are moved afterwards, through the ledger, so that a
 * transfer that is cut off has changed nothing anybody sees.
 */
import { errorMessage, withDeadline } from "#lib";
import { GitError } from "./errors.ts";
import { gitEnvironment, gitOutput, type GitConfig, type GitHost, type GitRun } from "./git-process.ts";
import { isObjectId } from "./names.ts";
import { basicAuthorization, parseRemoteUrl } from "./remote-url.ts";

export interface RemoteAccess {
  readonly url: string;
  /** They reach git by its environment, never by its arguments. */
  readonly credentials?: { readonly username: string; readonly password: string };
  readonly signal: AbortSignal;
  /** Default 2 minutes. */
  readonly timeoutMs?: number;
}

export interface RemoteListing {
  /** The branch that HEAD names, as a full ref. */
  readonly head: string | undefined;
  readonly refs: ReadonlyMap<string, string>;
}

/** Git takes names on its command line: enough for a first copy of a very large repository in a few rounds. */
const namesAtOnce = 1000;

/** The objects of these commits, out of another repository of this server. */
export async function fetchFromFolder(run: GitRun, folder: string, ids: readonly string[]): Promise<void> {
  await fetchIds(run, folder, ids);
}

/** All refs of a repository elsewhere. Throws `git/remote`, `git/bad-request`. */
export async function listRemote(host: GitHost, folder: string, access: RemoteAccess): Promise<RemoteListing> {
  return await reach(host, folder, access, async (run, url) => {
    const output = (await gitOutput(["ls-remote", "--symref", "--", url], run)).toString("utf8");
    return parseListing(output);
  });
}

/** The objects of these commits, out of a repository elsewhere. Throws `git/remote`. */
export async function fetchFromRemote(
  host: GitHost,
  folder: string,
  access: RemoteAccess,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  await reach(host, folder, access, (run, url) => fetchIds(run, url, ids));
}

async function fetchIds(run: GitRun, source: string, ids: readonly string[]): Promise<void> {
  const wanted = [...new Set(ids)];
  for (const sha of wanted) {
    if (!isObjectId(sha)) throw new GitError("git/bad-request", `Cannot fetch "${sha}": not a whole object id`);
  }
  // Protocol 2 gives out whatever is named by its id.
  const options = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules"];
  for (let at = 0; at < wanted.length; at += namesAtOnce) {
    const some = wanted.slice(at, at + namesAtOnce);
    await gitOutput(["-c", "protocol.version=2", "fetch", ...options, "--", source, ...some], run);
  }
}

async function reach<T>(
  host: GitHost,
  folder: string,
  access: RemoteAccess,
  work: (run: GitRun, url: string) => Promise<T>,
): Promise<T> {
  const remote = parseRemoteUrl(access.url);
  const { credentials } = access;
  const authorization =
    credentials === undefined ? remote.authorization : basicAuthorization(credentials.username, credentials.password);
  const signal = withDeadline(access.signal, access.timeoutMs ?? 120_000);
  const environment = gitEnvironment(host, remoteConfig(remote.url, authorization), {
    GIT_ALLOW_PROTOCOL: "http:https:file",
  });
  try {
    return await work({ folder, environment, signal }, remote.url);
  } catch (cause) {
    access.signal.throwIfAborted();
    if (cause instanceof GitError) throw cause;
    const found = signal.aborted ? "it took too long" : explain(errorMessage(cause));
    throw new GitError("git/remote", `Cannot fetch "${remote.url}": ${found}`, { cause });
  }
}

/** How git speaks with a server that need not be a friend. */
export function remoteConfig(url: string, authorization: string | undefined): GitConfig {
  const config: GitConfig = { "http.lowSpeedLimit": "1000", "http.lowSpeedTime": "30", "fetch.fsckObjects": "false" };
  if (authorization === undefined) return config;
  // The header goes wherever git goes: it must not follow a redirect to another host.
  return { ...config, [`http.${url}.extraHeader`]: `Authorization: ${authorization}`, "http.followRedirects": "false" };
}

function parseListing(output: string): RemoteListing {
  const refs = new Map<string, string>();
  let head: string | undefined;
  for (const line of output.split("\n")) {
    const [value = "", name = ""] = line.split("\t");
    if (name === "HEAD" && value.startsWith("ref: refs/heads/")) head = value.slice("ref: ".length);
    else if (name.startsWith("refs/") && !name.endsWith("^{}")) refs.set(name, value);
  }
  return { head, refs };
}

/** The last line of git that says what is wrong, without its prefix. */
export function explain(message: string): string {
  const lines = message.split("\n").filter((line) => /^(?:fatal|error|remote):|: fatal: /.test(line));
  const line = lines.at(-1) ?? message;
  const moved = /The requested URL returned error: (30[1278])/.exec(line);
  if (moved !== null) return `it is somewhere else now (it answers ${moved[1]}). Use its new address`;
  return line.replace(/^.*?(?:fatal|error|remote):\s*/, "").trim();
}
