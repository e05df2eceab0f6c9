/** How git is started: a closed environment, so that no file or variable of the host changes what it does. */
import { commandOutput, runCommand, spawnProgram, type CommandResult, type RunningProgram } from "#lib";
import { GitError } from "./errors.ts";

export interface GitHost {
  /** Folders to find git in; the PATH of its children too. */
  readonly searchPath: string;
  /** Folder of our hooks. */
  readonly hooks: string;
}

/** Configuration given by environment, which also makes `safe.directory` count (it must not come from a repository). */
export type GitConfig = Readonly<Record<string, string>>;

const baseConfig: GitConfig = {
  "safe.directory": "*",
  "core.fsync": "committed",
  "core.fsyncMethod": "batch",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "advice.detachedHead": "false",
  "core.quotePath": "false",
  "core.logAllRefUpdates": "false",
  "protocol.ext.allow": "never",
};

/** The whole environment of a git process. Values of `config` stay out of argv, so they may be secret. */
export function gitEnvironment(
  host: Pick<GitHost, "searchPath">,
  config: GitConfig = {},
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const environment: Record<string, string> = {
    PATH: host.searchPath,
    HOME: "/nonexistent",
    LC_ALL: "C",
    TZ: "UTC",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "true",
    // The reconciliation in update-ledger.ts reads the locks of the files backend; Git 3 would choose another.
    GIT_DEFAULT_REF_FORMAT: "files",
  };
  const entries = Object.entries({ ...baseConfig, ...config });
  environment["GIT_CONFIG_COUNT"] = String(entries.length);
  for (const [index, [key, value]] of entries.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return { ...environment, ...more };
}

export interface GitRun {
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly maxOutputBytes?: number;
  readonly signal: AbortSignal;
}

/** Runs git in a bare repository to its end, whatever exit code comes. */
export function runGit(args: readonly string[], run: GitRun): Promise<CommandResult> {
  return runCommand("git", ["--git-dir", run.folder, ...args], commandOptions(run));
}

/** Standard output; any exit code but 0 throws. */
export function gitOutput(args: readonly string[], run: GitRun): Promise<Buffer> {
  return commandOutput("git", ["--git-dir", run.folder, ...args], commandOptions(run));
}

function commandOptions(run: GitRun): Parameters<typeof commandOutput>[2] {
  return {
    env: run.environment,
    signal: run.signal,
    ...(run.input === undefined ? {} : { input: run.input }),
    ...(run.maxOutputBytes === undefined ? {} : { maxOutputBytes: run.maxOutputBytes }),
  };
}

/** A git process whose streams the caller owns. `channel` gives it a socket on file descriptor 3. */
export async function spawnGit(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  channel = false,
): Promise<RunningProgram> {
  return await spawnProgram("git", args, { env: environment, input: true, channel });
}

/** Kills it when the signal aborts, or has aborted already, and at the latest when it is disposed of. */
export function killedBy(child: RunningProgram, signal: AbortSignal): Disposable {
  const kill = (): void => child.kill("SIGKILL");
  signal.addEventListener("abort", kill, { once: true });
  if (signal.aborted) kill();
  return {
    [Symbol.dispose]() {
      signal.removeEventListener("abort", kill);
      kill();
    },
  };
}

/** GIT_CONFIG_COUNT is what keeps our configuration out of argv and out of the repositories. */
const oldestGit: readonly [number, number] = [2, 31];

/** Throws `git/unsupported` unless a recent git is there. Answers its version. */
export async function checkGit(searchPath: string, signal: AbortSignal): Promise<string> {
  const wanted = `install git ${oldestGit.join(".")} or later`;
  let text: string;
  try {
    text = (await commandOutput("git", ["--version"], { env: { PATH: searchPath }, signal })).toString("utf8");
  } catch (cause) {
    throw new GitError("git/unsupported", `Cannot run "git": not found in "${searchPath}"; ${wanted}`, { cause });
  }
  const [, major, minor] = /(\d+)\.(\d+)/.exec(text) ?? [];
  const version: readonly [number, number] = [Number(major ?? 0), Number(minor ?? 0)];
  if (version[0] < oldestGit[0] || (version[0] === oldestGit[0] && version[1] < oldestGit[1])) {
    throw new GitError("git/unsupported", `Cannot use "${text.trim()}": too old; ${wanted}`);
  }
  return text.trim();
}
