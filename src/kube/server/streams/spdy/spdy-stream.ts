/** One stream of a SPDY connection, either half closed by itself. */
import { Duplex } from "node:stream";
import { maxDataBytes } from "./frame.ts";
import type { SpdyHeaders } from "./header-block.ts";

export interface StreamWire {
  /** Calls back when the transport has taken it. */
  sendData(streamId: number, bytes: Uint8Array, fin: boolean, done: (error?: Error | null) => void): void;
  sendReset(streamId: number): void;
  /** Both halves are closed, or it was reset. */
  forget(streamId: number): void;
}

/** What may wait for a slow reader before the whole connection waits, as it does with upstream after the first byte. */
const bufferBytes = 256 * 1024;

export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #wire: StreamWire;
  #room = Promise.withResolvers<void>();
  #remoteDone = false;
  #localDone = false;
  #wasReset = false;

  constructor(id: number, headers: SpdyHeaders, wire: StreamWire) {
    super({ allowHalfOpen: true, readableHighWaterMark: bufferBytes, writableHighWaterMark: maxDataBytes });
    this.id = id;
    this.headers = headers;
    this.#wire = wire;
    // Whoever uses the stream hears of an error by it; one that nobody uses any more must not end the process.
    this.on("error", () => {});
  }

  /** From the connection. Resolves when there is room for more, or nobody wants it any more. */
  async accept(bytes: Uint8Array, fin: boolean): Promise<void> {
    if (this.destroyed || this.#remoteDone) return;
    if (bytes.length > 0 && !this.push(bytes)) {
      this.#room = Promise.withResolvers();
      if (!fin) await this.#room.promise;
    }
    if (fin) this.finishReading();
  }

  /** From the connection: nothing more will come. */
  finishReading(): void {
    if (this.#remoteDone || this.destroyed) return;
    this.#remoteDone = true;
    this.push(null);
    this.#settle();
  }

  /** From the connection: the peer does not want it any more. */
  reset(error?: Error): void {
    this.#wasReset = true;
    this.destroy(error);
  }

  override _read(): void {
    this.#room.resolve();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const piece = chunk.subarray(0, maxDataBytes);
    this.#wire.sendData(this.id, piece, false, (error) => {
      if ((error ?? undefined) !== undefined || piece.length === chunk.length) done(error);
      else this._write(chunk.subarray(piece.length), _encoding, done);
    });
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#localDone = true;
    this.#wire.sendData(this.id, Buffer.alloc(0), true, (error) => {
      this.#settle();
      done(error);
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#room.resolve();
    const isOver = this.#remoteDone && this.#localDone;
    if (!isOver && !this.#wasReset) this.#wire.sendReset(this.id);
    this.#wire.forget(this.id);
    done(error);
  }

  #settle(): void {
    if (this.#remoteDone && this.#localDone) this.#wire.forget(this.id);
  }
}
