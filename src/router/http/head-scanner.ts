/**
 * Finds the end of a message head in a stream, byte by byte if it must, looking at each byte once. Line ends are CRLF
 * and nothing else (RFC 9112 2.2 allows a recipient to accept a bare LF; two parties who disagree on where a head ends
 * are what request smuggling needs, so it is refused here).
 */
import type { Refusal } from "./refusal.ts";

export interface HeadLimits {
  readonly maxHeadBytes: number;
  readonly maxHeaders: number;
}

export const defaultHeadLimits: HeadLimits = { maxHeadBytes: 32 * 1024, maxHeaders: 128 };

/** What `scan` returns besides the offset behind the head. */
export const needMore = -1;
export const refused = -2;

const CR = 13;
const LF = 10;

export class HeadScanner {
  readonly #limits: HeadLimits;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  /** Bytes of the current line in earlier chunks. */
  #lineBytes = 0;
  #lastWasCr = false;
  #lines = 0;
  #skippedEmptyLine = false;
  /** After `scan` found the end: where the head lies. Valid until the next `scan`. */
  head: Buffer = emptyBuffer;
  start = 0;
  end = 0;
  /** After `scan` returned `refused`. */
  refusal: Refusal = { status: 400, reason: "malformed head" };

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** True when no byte of a head has come yet. */
  get untouched(): boolean {
    return this.#keptBytes === 0 && this.#lines === 0;
  }

  /** @returns the offset in `chunk` just behind the head, `needMore` or `refused` */
  scan(chunk: Buffer, from: number): number {
    let start = from;
    let at = from;
    while (at < chunk.length) {
      if (this.#lines === 0 && this.#lineBytes === 0 && !mayBeginHead(chunk[at]))
        return this.#refuse(400, "malformed first line");
      const lineFeed = chunk.indexOf(LF, at);
      if (lineFeed < 0) break;
      const here = lineFeed - at;
      if (!(here > 0 ? chunk[lineFeed - 1] === CR : this.#lastWasCr)) return this.#refuse(400, "line ends without CR");
      const empty = this.#lineBytes + here === 1;
      this.#lineBytes = 0;
      this.#lastWasCr = false;
      at = lineFeed + 1;
      if (!empty) {
        if (++this.#lines > this.#limits.maxHeaders + 1) return this.#refuse(431, "too many headers");
      } else if (this.#lines > 0) return this.#finish(chunk, start, at);
      else {
        // RFC 9112 2.2: at least one empty line before the request line should be ignored.
        if (this.#skippedEmptyLine) return this.#refuse(400, "empty lines before the request");
        this.#skippedEmptyLine = true;
        this.#kept = [];
        this.#keptBytes = 0;
        start = at;
      }
    }
    return this.#keep(chunk, start, at);
  }

  #keep(chunk: Buffer, start: number, lineStart: number): number {
    if (lineStart < chunk.length) {
      this.#lineBytes += chunk.length - lineStart;
      this.#lastWasCr = chunk[chunk.length - 1] === CR;
    }
    if (start < chunk.length) {
      this.#kept.push(chunk.subarray(start));
      this.#keptBytes += chunk.length - start;
    }
    return this.#keptBytes > this.#limits.maxHeadBytes ? this.#refuse(431, "head too large") : needMore;
  }

  #finish(chunk: Buffer, start: number, end: number): number {
    if (this.#keptBytes + end - start > this.#limits.maxHeadBytes) return this.#refuse(431, "head too large");
    if (this.#keptBytes === 0) {
      this.head = chunk;
      this.start = start;
      this.end = end;
    } else {
      this.head = Buffer.concat([...this.#kept, chunk.subarray(start, end)]);
      this.start = 0;
      this.end = this.head.length;
      this.#kept = [];
      this.#keptBytes = 0;
    }
    this.#lines = 0;
    this.#skippedEmptyLine = false;
    return end;
  }

  #refuse(status: number, reason: string): number {
    this.refusal = { status, reason };
    return refused;
  }
}

const emptyBuffer: Buffer = Buffer.alloc(0);

/** A visible character, or the CR (LF: refused a moment later) of an empty line. A TLS hello fails here at once. */
function mayBeginHead(byte: number | undefined): boolean {
  return byte !== undefined && ((byte > 0x20 && byte < 0x7f) || byte === CR || byte === LF);
}
