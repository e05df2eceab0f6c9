/**
 * A command beside a container, with somebody at its streams. It belongs to the session: what of it still runs when the
 * session is disposed is killed, wherever in the process tree it went (its environment carries a mark). What it left in
 * the background when it ended by itself stays with the container and ends with that.
 */
import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { closeSync } from "node:fs";
import type { Socket } from "node:net";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { type Clock, errorCode } from "#lib";
import { RuntimeError } from "../../errors.ts";
import type { ContainerSession, SessionOptions, TerminalSize } from "../../pod-runtime.ts";
import { killQuietly, processesWithEnvironment, signalGroup } from "../process-table.ts";
import { closePipe, makePipes } from "./pipe.ts";
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
  const pipes = await makePipes(["from-child", "from-child", ...(options.stdin ? ["to-child" as const] : [])]);
  try {
    const childEnds = pipes?.map(({ childEnd }) => childEnd) ?? (["pipe", "pipe", "pipe"] as const);
    const stdio: StdioOptions = [options.stdin ? childEnds[2] : "ignore", childEnds[0], childEnds[1]];
    const [file = "", ...args] = launch.argv;
    const child = await started(file, args, launch, env, stdio);
    const ourEnds = pipes?.map(({ ourEnd }) => ourEnd) ?? [child.stdout, child.stderr, child.stdin];
    const [stdout, stderr, stdin] = ourEnds as [Socket, Socket, Socket | null | undefined];
    const exitCode = endOf(child, () => {
      for (const output of [stdout, stderr]) endWhenQuiet(output, () => output.bytesRead, launch.clock);
    });
    for (const { childEnd } of pipes ?? []) closeSync(childEnd);
    return new ExecSession(launch, child, exitCode, { stdin: stdin ?? undefined, stdout, stderr }, undefined);
  } catch (error) {
    for (const pipe of pipes ?? []) closePipe(pipe);
    throw error;
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
    const child = await started("/bin/sh", args, launch, env, "ignore");
    const exitCode = endOf(child, () => {
      // Until now the master did not end because nobody had opened the other side yet.
      closeSync(terminal.slave);
      endWhenQuiet(stdout, () => stdout.bytesRead, launch.clock);
    });
    const stdin = options.stdin ? new TerminalInput(terminal.master, stdout, launch.clock) : undefined;
    return new ExecSession(launch, child, exitCode, { stdin, stdout, stderr: undefined }, terminal);
  } catch (error) {
    stdout.destroy();
    closeSync(terminal.slave);
    throw error;
  }
}

async function started(
  file: string,
  args: readonly string[],
  launch: ExecLaunch,
  env: Record<string, string>,
  stdio: StdioOptions,
): Promise<ChildProcess> {
  try {
    const child = spawn(file, args, { cwd: launch.workingDir, env, detached: true, stdio });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    return child;
  } catch (error) {
    const message = `Cannot start "${launch.argv[0] ?? ""}": ${errorCode(error) ?? "the process cannot be made"}`;
    throw new RuntimeError("runtime/start-failed", message, { cause: error });
  }
}

async function endOf(child: ChildProcess, ended: () => void): Promise<number> {
  return await new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      ended();
      resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
    });
  });
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
    child: ChildProcess,
    exitCode: Promise<number>,
    streams: Streams,
    terminal: PseudoTerminal | undefined,
  ) {
    this.#launch = launch;
    this.#pid = child.pid ?? 0;
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
