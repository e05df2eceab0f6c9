/** Puts a client and a command, or a container, together: until the command ends or the client goes. */
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { errorMessage } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import type { PodSession } from "../../ports.ts";
import type { CommandOutcome } from "./command-outcome.ts";
import type { CommandStreams } from "./command-streams.ts";

export interface ServedCommand {
  readonly streams: CommandStreams;
  /** Words for what cannot be done, before its reason. */
  readonly doing: string;
  /** A container's end is no failure of who looked on. */
  readonly tellsExitCode: boolean;
  open(): Promise<PodSession>;
}

/** Never throws; afterwards nothing of the command runs and the connection is closed. */
export async function serveCommand(command: ServedCommand): Promise<void> {
  using streams = command.streams;
  let session: PodSession;
  try {
    session = await command.open();
  } catch (error) {
    return await streams.finish(failure(command, error));
  }
  await using held = session;
  connectInput(streams.stdin, held.stdin);
  streams.onResize((size) => void held.resize(size).catch(() => {}));
  const outcome = await Promise.race([outcomeOf(command, held), streams.gone.then(() => undefined)]);
  if (outcome !== undefined) await streams.finish(outcome);
}

async function outcomeOf(command: ServedCommand, session: PodSession): Promise<CommandOutcome | undefined> {
  const { stdout, stderr, gone } = command.streams;
  try {
    await Promise.all([copy(session.stdout, stdout), copy(session.stderr, stderr)]);
    const exitCode = await session.exitCode;
    return { kind: "ended", exitCode: command.tellsExitCode ? exitCode : 0 };
  } catch (error) {
    // Writing fails where the client has gone, which is about to be known; anything else it is told.
    await Promise.race([gone, new Promise((resolve) => setImmediate(resolve))]);
    return failure(command, error);
  }
}

function failure({ doing }: ServedCommand, error: unknown): CommandOutcome {
  if (error instanceof KubeError) return { kind: "failed", error };
  const message = `Internal error occurred: ${doing}: ${errorMessage(error)}`;
  return { kind: "failed", error: new KubeError("InternalError", message, {}, error) };
}

async function copy(from: Readable | undefined, to: Writable | undefined): Promise<void> {
  if (from === undefined) return;
  if (to !== undefined) return await pipeline(from, to, { end: false });
  // Output that the client did not ask for must not hold up the command.
  for await (const _chunk of from);
}

/** A command that does not read its input, or closed it, is no failure: the client's rest is thrown away. */
function connectInput(from: Readable | undefined, to: Writable | undefined): void {
  if (from === undefined) return;
  if (to === undefined) {
    from.resume();
    return;
  }
  to.on("error", () => {});
  from.on("error", () => to.destroy());
  from.pipe(to);
  to.once("close", () => {
    from.unpipe(to);
    from.resume();
  });
}
