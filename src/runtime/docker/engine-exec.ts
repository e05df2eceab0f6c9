/** Commands beside a container, and its own streams, over connections of the engine that are taken over. */
import { Readable } from "node:stream";
import { type EngineClient, isEngineStatus } from "#engine";
import { type Clock, type Ids, withDeadline } from "#lib";
import { collectOutput } from "../collect-output.ts";
import { RuntimeError } from "../errors.ts";
import type { ContainerSession, SessionOptions, TerminalSize } from "../pod-runtime.ts";
import { killQuietly, processesWithEnvironment } from "../process/process-table.ts";
import type { KnownContainer } from "./container-table.ts";
import { engineSession } from "./engine-session.ts";
import type { EngineContainer } from "./engine-types.ts";

/** For what is asked about a session that goes on after its start. */
const askMs = 30_000;

function asking(): AbortSignal {
  return withDeadline(new AbortController().signal, askMs);
}

/** Marks every process of one session, also those that left its process group. */
const sessionMark = "TIDEGATE_EXEC_ID";
/** How often an engine is asked about a command that starts or ends: it tells neither by itself. */
const askEveryMs = 15;
const startMs = 10_000;
/** How long a command may take to end after SIGHUP, as after a lost terminal. */
const hangUpMs = 300;

interface EngineExec {
  readonly ExitCode?: number | null;
  readonly Pid?: number;
  readonly Running?: boolean;
}

export async function execIn(
  parts: { readonly engine: EngineClient; readonly clock: Clock; readonly ids: Ids },
  container: KnownContainer,
  command: readonly string[],
  options: SessionOptions,
): Promise<ContainerSession> {
  const { engine, clock } = parts;
  const { stdin, tty, signal } = options;
  const mark = `${sessionMark}=${parts.ids.uuid()}`;
  const Env = [mark, ...(tty ? ["TERM=xterm"] : [])];
  const body = { AttachStdin: stdin, AttachStdout: true, AttachStderr: true, Tty: tty, Cmd: command, Env };
  const { Id } = await engine.json<{ Id: string }>("POST", `/containers/${container.engineId}/exec`, { body, signal });
  const start = { Detach: false, Tty: tty };
  const socket = await engine.hijack(`/exec/${Id}/start`, { body: start, signal: lasting(signal) });
  const look = (): Promise<EngineExec> => engine.json("GET", `/exec/${Id}/json`, { signal: asking() });
  const until = async (known: (exec: EngineExec) => boolean, ms: number): Promise<EngineExec> => {
    const limit = clock.monotonicMs() + ms;
    for (;;) {
      const exec = await look();
      if (known(exec) || clock.monotonicMs() > limit) return exec;
      await clock.sleep(askEveryMs, asking());
    }
  };
  const session = engineSession({
    socket,
    stdin,
    tty,
    resize: (size) => resize(engine, `/exec/${Id}/resize`, size),
    exitCode: async () => (await until(({ Running }) => Running !== true, askMs)).ExitCode ?? 137,
    end: () => endMarked(mark, clock),
  });
  // An engine calls a command running before it has a process.
  const begun = await until(({ Running, Pid = 0 }) => (Running === true ? Pid > 0 : true), startMs);
  if (begun.Running === true || !neverStarted(begun.ExitCode)) return session;
  // The engine says why on the command's own stream.
  const { output } = await collectOutput(session, maxReason, asking());
  const found = /executable file.*not found.*|no such file or directory.*|permission denied.*/i.exec(output)?.[0];
  if (found === undefined && begun.Pid !== 0) return await replayed(session, output);
  const message = `exec: "${command[0] ?? ""}": ${(found ?? output.trim()).replace(/: unknown$/, "").trim()}`;
  throw new RuntimeError("runtime/no-command", message);
}

const maxReason = 4096;

/** As a shell says it: not executable, not found. */
function neverStarted(exitCode: number | null | undefined): boolean {
  return exitCode === 126 || exitCode === 127;
}

/** A command of its own that ended with such a code before it was looked at: what it said is still to be read. */
async function replayed(session: ContainerSession, output: string): Promise<ContainerSession> {
  const exitCode = await session.exitCode;
  return {
    stdin: session.stdin,
    stdout: Readable.from(output === "" ? [] : [Buffer.from(output)]),
    stderr: session.stderr === undefined ? undefined : Readable.from([]),
    resize: () => Promise.resolve(),
    exitCode: Promise.resolve(exitCode),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** The engine has no call for it, and shares this machine's processes. */
async function endMarked(mark: string, clock: Clock): Promise<void> {
  for (const pid of await processesWithEnvironment(mark)) signalQuietly(pid, "SIGHUP");
  const limit = clock.monotonicMs() + hangUpMs;
  while (clock.monotonicMs() < limit) {
    if ((await processesWithEnvironment(mark)).length === 0) return;
    await clock.sleep(askEveryMs, asking());
  }
  for (const pid of await processesWithEnvironment(mark)) killQuietly(pid);
}

function signalQuietly(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended between the look and the signal.
  }
}

export async function attachTo(
  engine: EngineClient,
  container: KnownContainer,
  options: SessionOptions,
): Promise<ContainerSession> {
  const { engineId, tty, hasStdin } = container;
  const stdin = options.stdin && hasStdin;
  const query = { stream: 1, stdin: stdin ? 1 : 0, stdout: 1, stderr: 1 };
  const path = `/containers/${engineId}/attach?${new URLSearchParams(stringValues(query)).toString()}`;
  const socket = await engine.hijack(path, { signal: lasting(options.signal) });
  return engineSession({
    socket,
    stdin,
    tty,
    resize: (size) => resize(engine, `/containers/${engineId}/resize`, size),
    async exitCode() {
      const { State } = await engine.json<EngineContainer>("GET", `/containers/${engineId}/json`, { signal: asking() });
      return State.Running ? 0 : State.ExitCode;
    },
    end: () => Promise.resolve(),
  });
}

/** The signal is for the start: a connection that was made is not broken by it. */
function lasting(signal: AbortSignal): AbortSignal {
  signal.throwIfAborted();
  return new AbortController().signal;
}

function stringValues(query: Readonly<Record<string, number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
}

async function resize(engine: EngineClient, path: string, { columns, rows }: TerminalSize): Promise<void> {
  try {
    await engine.send("POST", path, { query: { w: columns, h: rows }, signal: asking() });
  } catch (error) {
    // It ended meanwhile.
    if (!isEngineStatus(error, 404, 409, 500)) throw error;
  }
}
