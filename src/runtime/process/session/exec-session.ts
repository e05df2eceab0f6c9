/**
 * A command beside a container, with somebody at its streams. It belongs to the session: what of it still runs when the
 * session is disposed is killed, wherever in the process tree it went (its environment carries a mark). What it left in
 * the background when it ended by itself stays with the container and ends with that.
 */
import { closeSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { type Clock, errorCode, spawnProgram } from "#lib";
import { RuntimeError } from "../../errors.ts";
import type { ContainerSession, SessionOptions, TerminalSize } from "../../pod-runtime.ts";
import { killQuietly, processesWithEnvironment, signalGroup } from "../process-table.ts";
import {
  openPseudoTerminal,
  type PseudoTerminal,
  resizeTerminal,
  TerminalInput,
  TerminalOutput,
} from "./pseudo-terminal.ts";
import { endWhenQuiet } from "./quiet-end.ts";

/** Marks every process of one session. */
const sessionMark = "TIDEGATE_EXEC_ID";
/** Marks every process of every session of one runtime: those of a control process that died are ended by the next. */
const runtimeMark = "TIDEGATE_EXEC_OF";

export interface ExecLaunch {
  readonly argv: readonly string[];
  readonly workingDir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Unique among all sessions there ever are. */
  readonly sessionId: string;
  /** The same for all sessions of a runtime, and no other's. */
  readonly runtimeId: string;
  readonly searchPath: string;
  readonly clock: Clock;
}

/** How long a command may take to end after SIGHUP, as after a lost terminal. */
const hangUpMs = 300;
const resizeMs = 5000;

/** Kills what sessions of an earlier control process left. */
export async function killSessionsOf(runtimeId: string): Promise<void> {
  for (const pid of await processesWithEnvironment(`${runtimeMark}=${runtimeId}`)) killQuietly(pid);
}

export async function startExec(launch: ExecLaunch, options: SessionOptions): Promise<ContainerSession> {
  const env: Record<string, string> = {
    ...launch.env,
    [sessionMark]: launch.sessionId,
    [runtimeMark]: launch.runtimeId,
  };
  return options.tty ? await startOnTerminal(launch, env, options) : await startOnPipes(launch, env, options);
}

async function startOnPipes(
  launch: ExecLaunch,
  env: Record<string, string>,
  options: SessionOptions,
): Promise<ContainerSession> {
  const [file = "", ...args] = launch.argv;
  try {
    const start = { cwd: launch.workingDir, env, leads: true, input: options.stdin };
    const { pid, stdin, stdout, stderr, exited } = await spawnProgram(file, args, start);
    const exitCode = exited.finally(() => {
      for (const output of [stdout, stderr]) endWhenQuiet(output, () => output.bytesRead, launch.clock);
    });
    return new ExecSession(launch, pid, exitCode, { stdin, stdout, stderr }, undefined);
  } catch (error) {
    throw notStarted(launch, error);
  }
}

/**
 * Opening a terminal makes it the controlling one of a session leader, which a child made with `detached` is. All three
 * streams are open both ways, as at a login: pagers read the keyboard from where they write.
 */
const onTerminal = 'exec "$@" <>"$0" >&0 2>&0';

async function startOnTerminal(
  launch: ExecLaunch,
  env: Record<string, string>,
  options: SessionOptions,
): Promise<ContainerSession> {
  const terminal = await openPseudoTerminal();
  const stdout = new TerminalOutput(terminal.master);
  try {
    env["TERM"] ??= "xterm";
    const args = ["-c", onTerminal, terminal.path, ...launch.argv];
    const shell = await spawnProgram("/bin/sh", args, { cwd: launch.workingDir, env, leads: true });
    // The terminal is all it speaks by.
    for (const output of [shell.stdout, shell.stderr]) output.resume();
    const exitCode = shell.exited.finally(() => {
      // Until now the master did not end because nobody had opened the other side yet.
      closeSync(terminal.slave);
      endWhenQuiet(stdout, () => stdout.bytesRead, launch.clock);
    });
    const stdin = options.stdin ? new TerminalInput(terminal.master, stdout, launch.clock) : undefined;
    return new ExecSession(launch, shell.pid, exitCode, { stdin, stdout, stderr: undefined }, terminal);
  } catch (error) {
    stdout.destroy();
    closeSync(terminal.slave);
    throw notStarted(launch, error);
  }
}

function notStarted(launch: ExecLaunch, error: unknown): RuntimeError {
  const message = `Cannot start "${launch.argv[0] ?? ""}": ${errorCode(error) ?? "the process cannot be made"}`;
  return new RuntimeError("runtime/start-failed", message, { cause: error });
}

interface Streams {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
}

class ExecSession implements ContainerSession {
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable | undefined;
  readonly exitCode: Promise<number>;
  readonly #launch: ExecLaunch;
  readonly #pid: number;
  readonly #terminal: PseudoTerminal | undefined;
  #running = true;
  #disposed: Promise<void> | undefined;

  constructor(
    launch: ExecLaunch,
    pid: number,
    exitCode: Promise<number>,
    streams: Streams,
    terminal: PseudoTerminal | undefined,
  ) {
    this.#launch = launch;
    this.#pid = pid;
    this.#terminal = terminal;
    this.stdin = streams.stdin;
    this.stdout = streams.stdout;
    this.stderr = streams.stderr;
    this.exitCode = exitCode.finally(() => (this.#running = false));
  }

  async resize(size: TerminalSize): Promise<void> {
    if (this.#terminal === undefined || !this.#running) return;
    await resizeTerminal(this.#terminal.path, size, this.#launch.searchPath, AbortSignal.timeout(resizeMs));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#dispose();
    await this.#disposed;
  }

  async #dispose(): Promise<void> {
    if (this.#running) await this.#kill();
    this.stdin?.destroy();
    this.stdout.destroy();
    this.stderr?.destroy();
  }

  async #kill(): Promise<void> {
    signalGroup(this.#pid, "SIGHUP");
    const gone = this.exitCode.then(() => true);
    const { clock, sessionId } = this.#launch;
    const waited = new Promise<boolean>((resolve) => void clock.schedule(hangUpMs, () => resolve(false)));
    if (!(await Promise.race([gone, waited]))) signalGroup(this.#pid, "SIGKILL");
    for (const pid of await processesWithEnvironment(`${sessionMark}=${sessionId}`)) killQuietly(pid);
    await this.exitCode;
  }
}
