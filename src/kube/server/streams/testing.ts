/** A client of SPDY/3.1, and pods whose containers are a few lines of a test. For tests. */
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { Duplex, PassThrough, type Readable } from "node:stream";
import { Wake } from "#lib";
import type { PodSession, PodStreamPort, SessionRequest, TerminalSize } from "../../ports.ts";
import { encodeFrame, type SpdyFrame } from "./spdy/frame.ts";
import { SpdyFrameDecoder } from "./spdy/frame-decoder.ts";
import { HeaderDeflater } from "./spdy/header-block.ts";

/** The answer to a request for an upgrade: the connection, or the refusal with its body. */
export type Upgraded =
  | { readonly kind: "upgraded"; readonly socket: Socket; readonly response: IncomingMessage }
  | { readonly kind: "refused"; readonly code: number; readonly body: string };

export async function askUpgrade(
  url: string,
  headers: Readonly<Record<string, string | string[]>>,
  method = "POST",
): Promise<Upgraded> {
  const asked = request(url, { method, headers: { connection: "Upgrade", ...headers } });
  asked.end();
  return await new Promise((resolve, reject) => {
    asked.once("error", reject);
    asked.once("upgrade", (response, socket: Socket, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve({ kind: "upgraded", socket, response });
    });
    asked.once("response", (response) => {
      void textOf(response).then((body) => resolve({ kind: "refused", code: response.statusCode ?? 0, body }));
    });
  });
}

export async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * The client's end of a byte stream in binary messages of a WebSocket (RFC 6455, section 5.2), by hand: `ws` does not
 * take the name of the protocol. Its mask is 0, which changes nothing.
 */
export class Tunnel extends Duplex {
  readonly #socket: Socket;
  #bytes = Buffer.alloc(0);

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("close", () => this.destroy());
  }

  override _read(): void {
    // Small amounts: it is never held.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    const head = Buffer.from([0x82, 0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(chunk.length, 6);
    this.#socket.write(Buffer.concat([head, chunk]));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 2) {
      const [opcode = 0, short = 0] = this.#bytes;
      const head = short === 126 ? 4 : short === 127 ? 10 : 2;
      if (this.#bytes.length < head) return;
      const length = short < 126 ? short : head === 4 ? this.#bytes.readUInt16BE(2) : this.#bytes.readUInt32BE(6);
      if (this.#bytes.length < head + length) return;
      if ((opcode & 0x0f) === 2) this.push(this.#bytes.subarray(head, head + length));
      this.#bytes = this.#bytes.subarray(head + length);
    }
  }
}

export class SpdyClient {
  readonly frames: SpdyFrame[] = [];
  readonly #socket: Duplex;
  readonly #deflater = new HeaderDeflater();
  readonly #changed = new Wake();
  #nextId = 1;

  constructor(socket: Duplex) {
    this.#socket = socket;
    const decoder = new SpdyFrameDecoder();
    socket.on("data", (chunk: Buffer) => {
      this.frames.push(...decoder.push(chunk));
      this.#changed.notify();
    });
    socket.on("close", () => this.#changed.notify());
    socket.on("error", () => {});
  }

  open(headers: Readonly<Record<string, string>>, fin = false): number {
    const streamId = this.#nextId;
    this.#nextId += 2;
    this.send({ kind: "syn-stream", streamId, fin, block: this.#deflater.deflate(headers) });
    return streamId;
  }

  write(streamId: number, text: string | Uint8Array, fin = false): void {
    this.send({ kind: "data", streamId, fin, bytes: Buffer.from(text) });
  }

  send(frame: SpdyFrame): void {
    this.#socket.write(encodeFrame(frame));
  }

  /** What the server wrote on the stream until now. */
  received(streamId: number): string {
    const pieces = this.frames.flatMap((frame) =>
      frame.kind === "data" && frame.streamId === streamId ? [frame.bytes] : [],
    );
    return Buffer.concat(pieces).toString("utf8");
  }

  /** Everything the server wrote on the stream, once it ended it. */
  async whole(streamId: number, signal: AbortSignal): Promise<string> {
    await this.until((frame) => frame.kind === "data" && frame.streamId === streamId && frame.fin, signal);
    return this.received(streamId);
  }

  async until(isIt: (frame: SpdyFrame) => boolean, signal: AbortSignal): Promise<SpdyFrame> {
    for (;;) {
      const found = this.frames.find(isIt);
      if (found !== undefined) return found;
      if (this.#socket.destroyed) throw new Error(`The connection is closed: ${JSON.stringify(this.frames)}`);
      await this.#changed.wait(signal);
    }
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return;
    this.#socket.destroy();
    await once(this.#socket, "close");
  }
}

/** One command of the fake: what it was asked, and its streams from its own side. */
export interface FakeCommand {
  readonly request: SessionRequest & { readonly command?: readonly string[] };
  readonly stdin: PassThrough;
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
  readonly sizes: TerminalSize[];
  exit(code: number): void;
  /** Resolves when whoever looked after the session let go of it. */
  readonly disposed: Promise<void>;
}

/** Containers that run `act` for each command. */
export class PodStreamsFake implements PodStreamPort {
  readonly #act: (command: FakeCommand) => void;
  readonly #connect: PodStreamPort["connect"];

  constructor(act: (command: FakeCommand) => void, connect?: PodStreamPort["connect"]) {
    this.#act = act;
    this.#connect = connect ?? (() => Promise.reject(new Error("connection refused")));
  }

  requireRunning(): void {
    // Everything runs.
  }

  exec(_pod: unknown, request: SessionRequest & { readonly command: readonly string[] }): Promise<PodSession> {
    return Promise.resolve(this.#open(request));
  }

  attach(_pod: unknown, request: SessionRequest): Promise<PodSession> {
    return Promise.resolve(this.#open(request));
  }

  connect(...asked: Parameters<PodStreamPort["connect"]>): ReturnType<PodStreamPort["connect"]> {
    return this.#connect(...asked);
  }

  #open(request: SessionRequest & { readonly command?: readonly string[] }): PodSession {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const ended = Promise.withResolvers<number>();
    const disposed = Promise.withResolvers<void>();
    const sizes: TerminalSize[] = [];
    const exit = (code: number): void => {
      stdout.end();
      stderr.end();
      ended.resolve(code);
    };
    this.#act({ request, stdin, stdout, stderr, sizes, exit, disposed: disposed.promise });
    return {
      stdin: request.stdin ? stdin : undefined,
      stdout,
      stderr: request.tty ? undefined : stderr,
      resize: (size) => Promise.resolve(void sizes.push(size)),
      exitCode: ended.promise,
      [Symbol.asyncDispose]() {
        disposed.resolve();
        return Promise.resolve();
      },
    };
  }
}
