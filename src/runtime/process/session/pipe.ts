/** Pipes of the kernel, for the streams of children. */
import { closeSync, constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { libc, runCommand } from "#lib";
import { RuntimeError } from "../../errors.ts";

export interface ChildPipe {
  /** To be closed once the child has it. */
  readonly childEnd: number;
  readonly ourEnd: Socket;
}

/**
 * Node gives children Unix sockets, which programs cannot open again by name: a script's `> /dev/stderr` or
 * `cat /dev/stdin` fails with them, as it does with no container runtime. Undefined where real pipes cannot be made.
 */
export async function makePipes(
  directions: readonly ("to-child" | "from-child")[],
): Promise<readonly ChildPipe[] | undefined> {
  const pipes: ChildPipe[] = [];
  try {
    const { pipe } = await libc();
    for (const direction of directions) {
      const { reading, writing } = pipe();
      const toChild = direction === "to-child";
      const ourEnd = socketOf(toChild ? writing : reading, toChild);
      pipes.push({ childEnd: toChild ? reading : writing, ourEnd });
    }
    return pipes;
  } catch {
    for (const made of pipes) closePipe(made);
    return undefined;
  }
}

export function closePipe(pipe: ChildPipe): void {
  closeSync(pipe.childEnd);
  pipe.ourEnd.destroy();
}

export async function makeNamedPipe(path: string, searchPath: string, signal: AbortSignal): Promise<void> {
  const { exitCode, stderr } = await runCommand("mkfifo", ["-m", "600", path], { env: { PATH: searchPath }, signal });
  if (exitCode === 0) return;
  throw new RuntimeError("runtime/start-failed", `Cannot make a pipe: mkfifo ended with ${exitCode}: ${stderr.trim()}`);
}

/** Our writing end of a named pipe that somebody holds open for reading. */
export function openForWriting(path: string): Socket {
  return socketOf(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK), true);
}

function socketOf(fd: number, writable: boolean): Socket {
  const socket = new Socket({ fd, readable: !writable, writable });
  // A child that closed its input is no failure; whoever writes sees that the stream is gone.
  socket.on("error", () => {});
  return socket;
}
