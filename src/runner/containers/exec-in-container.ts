/** Runs a program of a step in a container that is already there, as its process group on the machine would be. */
import type { Socket } from "node:net";
import { FrameReader, type EngineClient } from "#engine";
import { withDeadline, type Clock } from "#lib";
import { stopLadder, type GroupEnd, type GroupOptions } from "../exec/process-group.ts";
import { signalMarked } from "../exec/orphans.ts";
import type { EngineEvents } from "./engine-events.ts";

export interface RunningContainer {
  readonly engine: EngineClient;
  readonly id: string;
  readonly events: EngineEvents;
}

interface EngineExec {
  readonly ExitCode?: number | null;
  readonly Running?: boolean;
}

/** Every process of one step's program has it in its environment. */
const markName = "TIDEGATE_STEP_PROCESS";
const askMs = 30_000;
/** How often an engine is asked for the exit code of what has ended: it knows it a moment later. */
const askEveryMs = 10;
/** How long a finished program's output may still be held open by a background process before the step goes on. */
const lingerMs = 250;

/** @param id made up; tells this run's processes from all others */
export async function execInContainer(
  container: RunningContainer,
  command: readonly string[],
  id: string,
  options: GroupOptions,
): Promise<GroupEnd> {
  const { engine, events } = container;
  const mark = `${markName}=${id}`;
  const Env = [...Object.entries(options.env).map(([name, value]) => `${name}=${value}`), mark];
  const body = { AttachStdout: true, AttachStderr: true, Tty: false, Cmd: command, Env, WorkingDir: options.cwd };
  const path = `/containers/${container.id}/exec`;
  const { Id } = await engine.json<{ Id: string }>("POST", path, { body, signal: asking() });
  const ended = Promise.withResolvers<void>();
  using _listening = events.on(({ action, attributes }) => {
    if (/^exec_(?:die|died)/.test(action) && attributes["execID"] === Id) ended.resolve();
  });
  const start = { Detach: false, Tty: false };
  const socket = await engine.hijack(`/exec/${Id}/start`, { body: start, signal: new AbortController().signal });
  try {
    using _ladder = stopLadder((signal) => signalAll(container, mark, signal), options);
    options.onStarted?.();
    const closed = readOutput(socket, options);
    await Promise.race([closed, ended.promise]);
    const exitCode = await exitCodeOf(engine, Id, options.clock);
    await withinLinger(closed, options.clock);
    return { exitCode, pid: 0 };
  } finally {
    socket.destroy();
  }
}

/** Resolves when the engine has sent all there is. */
function readOutput(socket: Socket, { onOutput }: GroupOptions): Promise<void> {
  const frames = new FrameReader();
  socket.on("data", (chunk: Buffer) => {
    for (const { stream, bytes } of frames.push(chunk)) onOutput(stream, bytes);
  });
  return new Promise<void>((resolve) => {
    for (const end of ["end", "close", "error"] as const) socket.once(end, () => resolve());
  });
}

async function exitCodeOf(engine: EngineClient, id: string, clock: Clock): Promise<number> {
  const signal = asking();
  for (;;) {
    const exec = await engine.json<EngineExec>("GET", `/exec/${id}/json`, { signal });
    if (exec.Running !== true) return exec.ExitCode ?? 137;
    await clock.sleep(askEveryMs, signal);
  }
}

async function withinLinger(closed: Promise<void>, clock: Clock): Promise<void> {
  const enough = new AbortController();
  await Promise.race([closed, clock.sleep(lingerMs, enough.signal).catch(() => {})]);
  enough.abort();
}

/**
 * From the machine, which sees the processes of an engine that is on it. Where they are another user's or in a virtual
 * machine, the container is asked to do it, as far as its image has a shell.
 */
function signalAll(container: RunningContainer, mark: string, signal: NodeJS.Signals): void {
  void signalMarked(mark, signal)
    .then(async (reached) => {
      if (reached === 0) await signalInside(container, mark, signal);
    })
    .catch(() => {});
}

const script =
  'for p in /proc/[0-9]*; do grep -q "$1" "$p/environ" 2>/dev/null && kill -s "$2" "${p#/proc/}"; done; true';

async function signalInside({ engine, id }: RunningContainer, mark: string, signal: NodeJS.Signals): Promise<void> {
  const body = { Cmd: ["sh", "-c", script, "sh", mark, signal.replace(/^SIG/, "")] };
  const { Id } = await engine.json<{ Id: string }>("POST", `/containers/${id}/exec`, { body, signal: asking() });
  await engine.send("POST", `/exec/${Id}/start`, { body: { Detach: true }, signal: asking() });
}

function asking(): AbortSignal {
  return withDeadline(new AbortController().signal, askMs);
}
