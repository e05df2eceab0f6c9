/** The streams of a connection that exec or attach took over, as a `ContainerSession`. */
import type { Socket } from "node:net";
import { PassThrough, Writable } from "node:stream";
import { FrameReader } from "#engine";
import type { ContainerSession, TerminalSize } from "../pod-runtime.ts";

export interface EngineSessionOptions {
  readonly socket: Socket;
  readonly stdin: boolean;
  /** Without a terminal the streams come in frames. */
  readonly tty: boolean;
  readonly resize: (size: TerminalSize) => Promise<void>;
  /** Asked for when the streams have ended. */
  readonly exitCode: () => Promise<number>;
  /** Ends what may still run when the owner lets go. */
  readonly end: () => Promise<void>;
}

export function engineSession(options: EngineSessionOptions): ContainerSession {
  const { socket, tty } = options;
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const ended = Promise.withResolvers<void>();
  const frames = new FrameReader();
  socket.on("data", (chunk: Buffer) => {
    let full = false;
    if (tty) full = !stdout.write(chunk);
    else
      for (const { stream, bytes } of frames.push(chunk))
        full = !(stream === "stdout" ? stdout : stderr).write(bytes) || full;
    // Who reads slowly holds the container back, as a pipe does.
    if (full && !stdout.destroyed && !stderr.destroyed) socket.pause();
  });
  for (const stream of [stdout, stderr]) stream.on("drain", () => socket.resume());
  const finish = (): void => {
    stdout.end();
    stderr.end();
    ended.resolve();
  };
  socket.once("end", finish);
  socket.once("close", finish);
  socket.once("error", finish);
  const exitCode = ended.promise.then(options.exitCode);
  exitCode.catch(() => {});
  return {
    stdin: options.stdin ? inputOf(socket) : undefined,
    stdout,
    stderr: tty ? undefined : stderr,
    resize: (size) => (tty ? options.resize(size) : Promise.resolve()),
    exitCode,
    async [Symbol.asyncDispose]() {
      if (!socket.destroyed && !socket.readableEnded) await options.end();
      socket.destroy();
    },
  };
}

/** Ending it half-closes the connection: the other side sees the end of its input and may go on writing. */
function inputOf(socket: Socket): Writable {
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, (error) => done(error)),
    final: (done) => void socket.end(done),
  });
}
