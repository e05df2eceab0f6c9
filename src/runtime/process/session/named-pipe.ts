/** Named pipes, by which a container has an input that outlives us. */
import { constants, openSync } from "node:fs";
import { Socket } from "node:net";
import { runCommand } from "#lib";
import { RuntimeError } from "../../errors.ts";

export async function makeNamedPipe(path: string, searchPath: string, signal: AbortSignal): Promise<void> {
  const { exitCode, stderr } = await runCommand("mkfifo", ["-m", "600", path], { env: { PATH: searchPath }, signal });
  if (exitCode === 0) return;
  throw new RuntimeError("runtime/start-failed", `Cannot make a pipe: mkfifo ended with ${exitCode}: ${stderr.trim()}`);
}

/** Our writing end of a named pipe that somebody holds open for reading. */
export function openForWriting(path: string): Socket {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const socket = new Socket({ fd, readable: false, writable: true });
  // A child that closed its input is no failure; whoever writes sees that the stream is gone.
  socket.on("error", () => {});
  return socket;
}
