/** Runs one git process that may move refs, with the ledger listening on its hooks. */
import type { Log, RunningProgram } from "#lib";
import { gitEnvironment, gitOutput, spawnGit, type GitConfig, type GitHost } from "./git-process.ts";
import { serveHooks } from "./hook-channel.ts";
import { parseRefs } from "./plumbing.ts";
import type { RefCommand } from "./push-head.ts";
import type { MoveContext, RefMove, UpdateLedger } from "./update-ledger.ts";

export interface RefProcessOptions {
  readonly host: GitHost;
  readonly ledger: UpdateLedger;
  readonly log: Log;
  readonly folder: string;
  readonly context: MoveContext;
  readonly config?: GitConfig;
  /** Objects are in quarantine, no ref has moved: may it go on? Only `receive-pack` asks. */
  readonly preReceive?: (quarantine: { path: string; alternates: string }) => Promise<boolean>;
  /** Which moves are known not to descend from the old value. */
  readonly forced?: (ref: string) => boolean;
}

export interface RefProcess {
  readonly child: RunningProgram;
  /**
   * Resolves when git has ended and everything it moved is in the ledger. Never rejects for what git did: its exit code
   * and its output say that.
   */
  readonly settled: Promise<{ readonly exitCode: number; readonly stderr: string }>;
}

/** `args` name the repository themselves: `receive-pack` takes it last, the others by `--git-dir`. */
export async function startRefProcess(args: readonly string[], options: RefProcessOptions): Promise<RefProcess> {
  const { host, ledger, log, context } = options;
  const environment = gitEnvironment(host, { ...options.config, "core.hooksPath": host.hooks });
  const child = await spawnGit(args, environment, true);
  const withForced = (moves: readonly RefCommand[]): readonly RefMove[] =>
    moves.map((move) => ({ ...move, forced: options.forced?.(move.ref) ?? false }));

  const hooks = serveHooks(
    child.channel,
    async (request) => {
      if (request.kind === "pre-receive") {
        const quarantine = { path: request.quarantine, alternates: request.alternates };
        return (await options.preReceive?.(quarantine)) ?? true;
      }
      if (request.kind === "prepared") await ledger.prepare(context, withForced(request.commands));
      else if (request.kind === "committed") await ledger.commit(context, request.commands);
      else await ledger.abort(context, request.commands);
      return true;
    },
    (error) => log.error("Cannot answer a git hook", { error, push: context.push }),
  );
  return { child, settled: settle(child, hooks, options) };
}

async function settle(
  child: RunningProgram,
  hooks: Promise<void>,
  options: RefProcessOptions,
): Promise<{ exitCode: number; stderr: string }> {
  const ended = endOf(child);
  const [result] = await Promise.all([ended, hooks]);
  const { ledger, context } = options;
  if ((await ledger.undecided(context)).length > 0) {
    // A hook that could not be started or could not speak. Git has ended, so these refs say how it went.
    const refs = await listRefs(options.host, options.folder);
    await ledger.reconcile(context.repositoryId, refs, context.push);
  }
  return result;
}

/** Every ref of the repository and its value. */
export async function listRefs(host: GitHost, folder: string): Promise<ReadonlyMap<string, string>> {
  const args = ["for-each-ref", "--format=%(objectname) %(refname)"];
  // No signal: the truth about refs is wanted most when everything else is being torn down; it takes milliseconds.
  const signal = new AbortController().signal;
  return parseRefs((await gitOutput(args, { folder, environment: gitEnvironment(host), signal })).toString("utf8"));
}

async function endOf(child: RunningProgram): Promise<{ exitCode: number; stderr: string }> {
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-4096);
  });
  return { exitCode: await child.closed, stderr };
}
