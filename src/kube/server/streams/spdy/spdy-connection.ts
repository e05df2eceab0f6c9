/**
 * The server's end of a SPDY/3.1 connection over any byte stream: a socket, or a WebSocket that carries one.
 *
 * Windows (section 2.6.8): credit is given to the peer for what it sends, and what bounds memory is that a stream whose
 * reader is slow holds the transport. None is asked of it: the one implementation that speaks this protocol with
 * Kubernetes, in all of its clients and servers, gives none, so whoever waited for it would stand still after 64 KiB.
 */
import type { Duplex } from "node:stream";
import type { Clock } from "#lib";
import { StreamError } from "../errors.ts";
import { Repeated } from "../repeated.ts";
import { encodeFrame, resetReasons, type SpdyFrame } from "./frame.ts";
import { SpdyFrameDecoder } from "./frame-decoder.ts";
import { HeaderDeflater, HeaderInflater } from "./header-block.ts";
import { SpdyStream, type StreamWire } from "./spdy-stream.ts";

export interface SpdyOptions {
  readonly clock: Clock;
  /** Called for each stream of the peer's, after it was accepted. */
  readonly onStream: (stream: SpdyStream) => void;
  /** Something came or went. */
  readonly onActivity: () => void;
}

const maxStreams = 2000;
/** Writing is how we learn that a peer is gone while we do not read. */
const pingEveryMs = 5000;
/** So much received of a stream is worth a frame of credit. */
const creditBytes = 32 * 1024;

export class SpdyConnection implements StreamWire {
  readonly #transport: Duplex;
  readonly #options: SpdyOptions;
  readonly #streams = new Map<number, SpdyStream>();
  readonly #received = new Map<number, number>();
  readonly #deflater = new HeaderDeflater();
  #lastStreamId = 0;
  #pingId = 0;
  #goneAway = false;

  constructor(transport: Duplex, options: SpdyOptions) {
    this.#transport = transport;
    this.#options = options;
    transport.on("error", () => {});
  }

  /** Reads until the peer is gone or `close` was called; then every stream is over. Throws `kube/spdy-protocol`. */
  async run(): Promise<void> {
    const decoder = new SpdyFrameDecoder();
    using inflater = new HeaderInflater();
    const lost = (): void => this.#endStreams();
    this.#transport.once("close", lost);
    using pings = new Repeated(this.#options.clock, pingEveryMs, () => this.#ping());
    pings.start();
    try {
      for await (const chunk of this.#transport) {
        for (const frame of decoder.push(chunk as Buffer)) await this.#take(frame, inflater);
      }
    } catch (error) {
      if (error instanceof StreamError) {
        this.#send({ kind: "goaway", lastStreamId: this.#lastStreamId, status: resetReasons.protocolError });
        throw error;
      }
      // Anything else is the transport's end, however it came.
    } finally {
      this.#endStreams();
      this.#transport.destroy();
    }
  }

  /** Says goodbye; what was written before still goes out. */
  close(): void {
    if (this.#goneAway) return;
    this.#send({ kind: "goaway", lastStreamId: this.#lastStreamId, status: 0 });
    this.#goneAway = true;
    this.#transport.end();
  }

  sendData(streamId: number, bytes: Uint8Array, fin: boolean, done: (error?: Error | null) => void): void {
    this.#options.onActivity();
    if (!this.#transport.writable) return done(new StreamError("kube/stream-gone", "The client is gone"));
    this.#transport.write(encodeFrame({ kind: "data", streamId, bytes, fin }), done);
  }

  sendReset(streamId: number): void {
    this.#send({ kind: "rst-stream", streamId, status: resetReasons.cancel });
  }

  forget(streamId: number): void {
    this.#streams.delete(streamId);
    this.#received.delete(streamId);
  }

  async #take(frame: SpdyFrame, inflater: HeaderInflater): Promise<void> {
    switch (frame.kind) {
      case "syn-stream":
        this.#open(frame, await inflater.inflate(frame.block));
        return;
      case "syn-reply":
      case "headers":
        // We open no streams; the block still belongs to the peer's zlib stream.
        await inflater.inflate(frame.block);
        if (frame.fin) this.#streams.get(frame.streamId)?.finishReading();
        return;
      case "data":
        await this.#takeData(frame);
        return;
      case "rst-stream":
        this.#streams.get(frame.streamId)?.reset();
        return;
      case "ping":
        // Odd numbers are the peer's own; even ones are answers to ours.
        if (frame.id % 2 === 1) this.#send(frame);
        return;
      case "goaway":
      case "window-update":
        return;
    }
  }

  #open(frame: { readonly streamId: number; readonly fin: boolean }, headers: Readonly<Record<string, string>>): void {
    const { streamId } = frame;
    if (streamId % 2 === 0 || streamId <= this.#lastStreamId) {
      this.#send({ kind: "rst-stream", streamId, status: resetReasons.protocolError });
      return;
    }
    this.#lastStreamId = streamId;
    this.#options.onActivity();
    if (this.#streams.size >= maxStreams || this.#goneAway) {
      this.#send({ kind: "rst-stream", streamId, status: resetReasons.refused });
      return;
    }
    const stream = new SpdyStream(streamId, headers, this);
    this.#streams.set(streamId, stream);
    this.#send({ kind: "syn-reply", streamId, fin: false, block: this.#deflater.deflate({}) });
    if (frame.fin) stream.finishReading();
    this.#options.onStream(stream);
  }

  async #takeData(frame: Extract<SpdyFrame, { kind: "data" }>): Promise<void> {
    const { streamId, bytes, fin } = frame;
    const stream = this.#streams.get(streamId);
    // Data may be on its way when a stream was reset: no error.
    if (stream === undefined) return;
    this.#options.onActivity();
    await stream.accept(bytes, fin);
    const received = (this.#received.get(streamId) ?? 0) + bytes.length;
    const credited = received >= creditBytes;
    if (this.#streams.has(streamId)) this.#received.set(streamId, credited ? 0 : received);
    if (!credited) return;
    for (const id of [streamId, 0]) this.#send({ kind: "window-update", streamId: id, delta: received });
  }

  #send(frame: SpdyFrame): void {
    if (this.#transport.writable) this.#transport.write(encodeFrame(frame));
  }

  #ping(): void {
    this.#pingId = (this.#pingId + 2) & 0x7fffffff;
    this.#send({ kind: "ping", id: this.#pingId });
  }

  #endStreams(): void {
    const gone = new StreamError("kube/stream-gone", "The client is gone");
    for (const stream of this.#streams.values()) stream.reset(gone);
    this.#streams.clear();
  }
}
