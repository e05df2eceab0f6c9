/**
 * Runs a step's program in a process group of its own, so that stopping it stops what it started. What it leaves
 * running in the background on purpose (`server &`) lives on until the job ends.
 */
import { spawn, type ChildProcess } from "node:child_process";
import type { Clock } from "#lib";

export interface GroupOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly onOutput: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
  /** Stops the group: SIGINT, after 7.5 s SIGTERM, after 2.5 s SIGKILL. */
  readonly stop: AbortSignal;
  /** Kills the group at once. */
  readonly kill: AbortSignal;
}

/** The Actions runner's ladder. */
const interruptMs = 7_500;
const terminateMs = 2_500;

/** How long a finished program's output may still be held open by a background process before the step goes on. */
const lingerMs = 250;

export interface GroupEnd {
  /** 128 + number for a signal, as shells say it. */
  readonly exitCode: number;
  readonly pid: number;
}

/** Rejects only when the program cannot be started. */
export async function runProcessGroup(file: string, args: readonly string[], options: GroupOptions): Promise<GroupEnd> {
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  child.stdout.on("data", (chunk: Uint8Array) => options.onOutput("stdout", chunk));
  child.stderr.on("data", (chunk: Uint8Array) => options.onOutput("stderr", chunk));
  await started(child);
  using _ladder = stopLadder((signal) => signalGroup(child.pid, signal), options);
  const exitCode = await exited(child);
  await outputEnded(child, options.clock);
  // Background processes may write on; nobody listens, and they must not keep this process alive.
  for (const stream of [child.stdout, child.stderr]) {
    stream.removeAllListeners("data");
    stream.resume();
    if ("unref" in stream && typeof stream.unref === "function") stream.unref();
  }
  return { exitCode, pid: child.pid ?? 0 };
}

async function started(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
}

async function exited(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return child.exitCode;
  if (child.signalCode !== null) return 128 + (signalNumbers[child.signalCode] ?? 9);
  return await new Promise<number>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signalNumbers[signal ?? "SIGKILL"] ?? 9)));
  });
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

async function outputEnded(child: ChildProcess, clock: Clock): Promise<void> {
  const streams = [child.stdout, child.stderr].filter((stream) => stream !== null && !stream.readableEnded);
  if (streams.length === 0) return;
  const enough = new AbortController();
  const ended = Promise.all(
    streams.map((stream) => new Promise<void>((resolve) => stream?.once("close", () => resolve()))),
  );
  const waited = clock.sleep(lingerMs, enough.signal).catch(() => {});
  await Promise.race([ended, waited]);
  enough.abort();
}

/** Sends what the options' signals ask for, for as long as it is not disposed of. */
export function stopLadder(
  send: (signal: NodeJS.Signals) => void,
  options: Pick<GroupOptions, "clock" | "stop" | "kill">,
): Disposable {
  let timer: Disposable | undefined;
  const terminate = (): void => {
    send("SIGTERM");
    timer = options.clock.schedule(terminateMs, killNow);
  };
  const interrupt = (): void => {
    send("SIGINT");
    timer = options.clock.schedule(interruptMs, terminate);
  };
  const killNow = (): void => send("SIGKILL");
  if (options.stop.aborted) interrupt();
  if (options.kill.aborted) killNow();
  options.stop.addEventListener("abort", interrupt, { once: true });
  options.kill.addEventListener("abort", killNow, { once: true });
  return {
    [Symbol.dispose]() {
      timer?.[Symbol.dispose]();
      options.stop.removeEventListener("abort", interrupt);
      options.kill.removeEventListener("abort", killNow);
      // A stopped step leaves nothing behind, not even what ignored the first signals.
      if (options.stop.aborted || options.kill.aborted) killNow();
    },
  };
}

/** Nothing happens when the group is gone. */
function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined || pid <= 1) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: all of it has ended. EPERM: the number was given to someone else's process.
  }
}
