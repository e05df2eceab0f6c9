/**
 * Runs a step's program in a process group of its own, so that stopping it stops what it started. What it leaves
 * running in the background on purpose (`server &`) lives on until the job ends.
 */
import { spawnProgram, type Clock, type RunningProgram } from "#lib";

export interface GroupOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** It runs: until it ends, nothing waits for this process. */
  readonly onStarted?: () => void;
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
  const program = await spawnProgram(file, args, { cwd: options.cwd, env: options.env, leads: true });
  const { pid, stdout, stderr } = program;
  stdout.on("data", (chunk: Uint8Array) => options.onOutput("stdout", chunk));
  stderr.on("data", (chunk: Uint8Array) => options.onOutput("stderr", chunk));
  using _ladder = stopLadder((signal) => signalGroup(pid, signal), options);
  options.onStarted?.();
  const exitCode = await program.exited;
  await outputEnded(program, options.clock);
  // Background processes may write on; nobody listens, and they must not keep this process alive.
  for (const stream of [stdout, stderr]) {
    stream.removeAllListeners("data");
    stream.resume();
    stream.unref();
  }
  return { exitCode, pid };
}

async function outputEnded({ stdout, stderr }: RunningProgram, clock: Clock): Promise<void> {
  const open = [stdout, stderr].filter((stream) => !stream.readableEnded);
  if (open.length === 0) return;
  const enough = Promise.withResolvers<void>();
  const ended = Promise.all(
    open.map((stream) => new Promise<void>((resolve) => stream.once("close", () => resolve()))),
  );
  using _timer = clock.schedule(lingerMs, enough.resolve);
  await Promise.race([ended, enough.promise]);
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
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  if (pid <= 1) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // ESRCH: all of it has ended. EPERM: the number was given to someone else's process.
  }
}
