/**
 * Starts a program with pipes, as a shell would.
 *
 * Why not `child_process.spawn`: it forks, which copies the tables of all memory of this process (0.9 ms at 70 MB,
 * 7 ms at 170 MB, in which nothing else is done), and its streams are Unix sockets, which programs cannot open again by
 * name: `echo oops > /dev/stderr` fails with them. Where libc cannot be called, that is what is left.
 */
import { spawn } from "node:child_process";
import { closeSync } from "node:fs";
import { Socket, type SocketConstructorOpts } from "node:net";
import { constants } from "node:os";
import type { Duplex, Readable, Writable } from "node:stream";
import { getSystemErrorName } from "node:util";
import { isMainThread } from "node:worker_threads";
import { type ChildReaper, childrenOf } from "./child-reaper.ts";
import { findProgram } from "./find-program.ts";
import { libc, type LibC } from "./libc.ts";
import { spawnWith } from "./spawn-arguments.ts";

export interface ProgramOptions {
  readonly cwd?: string;
  /** The whole environment of the program; its PATH is where a name without a slash is looked for. */
  readonly env: Readonly<Record<string, string>>;
  /** Leads a session and process group of its own, so that `kill(-pid)` reaches what it starts. */
  readonly leads?: boolean;
  /** Gives it a pipe to read; else there is nothing to read. */
  readonly input?: boolean;
  /** Gives it a socket on file descriptor 3. */
  readonly channel?: boolean;
}

export interface RunningProgram {
  readonly pid: number;
  /** There when `input` was asked for. */
  readonly stdin: Writable | undefined;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** There when it was asked for. */
  readonly channel: Duplex | undefined;
  /** Resolves with the exit code when the program itself has ended; what it started may hold its streams open. */
  readonly exited: Promise<number>;
  /** As `exited`, and both outputs have been read to their ends or destroyed. */
  readonly closed: Promise<number>;
  /** Undefined while it runs. */
  readonly exitCode: number | undefined;
  /** Nothing happens when it has ended. */
  kill(signal: NodeJS.Signals): void;
  /** Whether this process stays for its sake; at first it does. */
  hold(held: boolean): void;
}

/** An exit code is 128 + number of the signal for what a signal ended, as shells say it. Rejects as `spawn` does. */
export async function spawnProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<RunningProgram> {
  const calls = isMainThread ? await libc().catch(() => undefined) : undefined;
  return calls === undefined ? await forkProgram(file, args, options) : startProgram(calls, file, args, options);
}

const usualPath = "/usr/bin:/bin";

function startProgram(calls: LibC, file: string, args: readonly string[], options: ProgramOptions): RunningProgram {
  const { cwd, env, leads = false, input = false, channel = false } = options;
  const path = file.includes("/") ? file : findProgram(file, env["PATH"] ?? usualPath, cwd ?? process.cwd());
  if (path === undefined) throw spawnError(file, args, "ENOENT");
  if ([path, cwd ?? "", ...args, ...Object.entries(env).flat()].some((text) => text.includes("\0"))) {
    throw spawnError(file, args, "ERR_INVALID_ARG_VALUE");
  }
  using pipes = new Pipes(calls);
  const stdin = input ? pipes.toChild() : pipes.nothing();
  const [stdout, stderr] = [pipes.fromChild(), pipes.fromChild()];
  const third = channel ? pipes.bothWays() : undefined;
  const wanted = { cwd, env, leads, files: pipes.childEnds } as const;
  let outcome = spawnWith(calls, { ...wanted, path, argv: [file, ...args] });
  // A script without a first line that says its interpreter is the shell's, as execvp(3) has it.
  if (outcome.kind === "refused" && outcome.errno === constants.errno.ENOEXEC)
    outcome = spawnWith(calls, { ...wanted, path: "/bin/sh", argv: ["/bin/sh", path, ...args] });
  if (outcome.kind === "refused") throw spawnError(file, args, getSystemErrorName(-outcome.errno));
  pipes.keepOurs();
  return runningProgram(outcome.pid, childrenOf(calls), { stdin, stdout, stderr, channel: third });
}

type Streams = Pick<RunningProgram, "stdin" | "stdout" | "stderr" | "channel"> & { readonly stdin: Socket | undefined };

function runningProgram(pid: number, children: ChildReaper, streams: Streams): RunningProgram {
  const { stdin, stdout, stderr } = streams;
  const exited = children.add(pid);
  let exitCode: number | undefined;
  void exited.then((code) => (exitCode = code));
  return {
    ...streams,
    pid,
    exited,
    closed: Promise.all([exited, closed(stdout), closed(stderr)]).then(([code]) => code),
    get exitCode() {
      return exitCode;
    },
    kill: (signal) => {
      // Before it was waited for, the number is nobody else's.
      if (exitCode === undefined) process.kill(pid, signal);
    },
    hold(held) {
      children.hold(pid, held);
      holdAll([stdin, stdout, stderr], held);
    },
  };
}

function holdAll(some: readonly ({ ref(): unknown; unref(): unknown } | undefined)[], held: boolean): void {
  for (const one of some) {
    if (held) one?.ref();
    else one?.unref();
  }
}

/** The two ends of each. Disposing closes the child's, which has its own by then; and ours unless they are kept. */
class Pipes implements Disposable {
  readonly childEnds: (number | undefined)[] = [];
  readonly #calls: LibC;
  #ours: Socket[] = [];

  constructor(calls: LibC) {
    this.#calls = calls;
  }

  nothing(): undefined {
    this.childEnds.push(undefined);
  }

  toChild(): Socket {
    const { reading, writing } = this.#calls.pipe();
    const socket = this.#add(reading, { fd: writing, readable: false, writable: true });
    // A program that closed its input is no failure; whoever writes sees that the stream is gone.
    socket.on("error", () => {});
    return socket;
  }

  fromChild(): Socket {
    const { reading, writing } = this.#calls.pipe();
    return this.#add(writing, { fd: reading, readable: true, writable: false });
  }

  bothWays(): Socket {
    const [ours, theirs] = this.#calls.socketPair();
    return this.#add(theirs, { fd: ours, readable: true, writable: true });
  }

  keepOurs(): void {
    this.#ours = [];
  }

  [Symbol.dispose](): void {
    for (const fd of this.childEnds) if (fd !== undefined) closeSync(fd);
    for (const socket of this.#ours) socket.destroy();
  }

  #add(childEnd: number, options: SocketConstructorOpts): Socket {
    this.childEnds.push(childEnd);
    const socket = new Socket(options);
    this.#ours.push(socket);
    return socket;
  }
}

function closed(stream: Readable): Promise<void> {
  return new Promise((resolve) => stream.once("close", resolve));
}

/** Like that of `child_process.spawn`. */
function spawnError(file: string, args: readonly string[], code: string): Error {
  return Object.assign(new Error(`spawn ${file} ${code}`), {
    code,
    syscall: `spawn ${file}`,
    path: file,
    spawnargs: args,
  });
}

async function forkProgram(file: string, args: readonly string[], options: ProgramOptions): Promise<RunningProgram> {
  const { cwd, env, leads = false, input = false, channel = false } = options;
  const child = spawn(file, args, {
    cwd,
    env: { ...env },
    detached: leads,
    stdio: [input ? "pipe" : "ignore", "pipe", "pipe", ...(channel ? (["pipe"] as const) : [])],
  });
  const exited = new Promise<number>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", reject);
  });
  const [stdin, stdout, stderr, third] = (child.stdio as (Socket | null)[]).map((stream) => stream ?? undefined);
  if (stdout === undefined || stderr === undefined) throw new Error(`Cannot start "${file}": it has no outputs`);
  stdin?.on("error", () => {});
  return {
    pid: child.pid ?? 0,
    stdin,
    stdout,
    stderr,
    channel: third,
    exited,
    closed: Promise.all([exited, closed(stdout), closed(stderr)]).then(([code]) => code),
    get exitCode() {
      if (child.signalCode !== null) return 128 + constants.signals[child.signalCode];
      return child.exitCode ?? undefined;
    },
    kill: (signal) => void child.kill(signal),
    hold: (held) => holdAll([child, stdin, stdout, stderr], held),
  };
}
