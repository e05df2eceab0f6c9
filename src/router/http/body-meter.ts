/** Where a body ends, whatever its framing. */
import { bodyNeedsMore, ChunkedBody } from "./chunked-body.ts";

export type Framing = "none" | "length" | "chunked" | "close";

export class BodyMeter {
  readonly framing: Framing;
  #remaining: number;
  readonly #chunked: ChunkedBody | undefined;
  done: boolean;

  constructor(framing: Framing, length = 0) {
    this.framing = framing;
    this.#remaining = length;
    this.#chunked = framing === "chunked" ? new ChunkedBody() : undefined;
    this.done = framing === "none";
  }

  /**
   * @param spans gets the payload's offsets when the framing is chunked
   * @returns the offset behind the body, `bodyNeedsMore` or `bodyMalformed`; sets `done` with an offset
   */
  measure(chunk: Buffer, from: number, spans?: number[]): number {
    if (this.done) return from;
    if (this.framing === "close") return bodyNeedsMore;
    if (this.#chunked !== undefined) {
      const end = this.#chunked.consume(chunk, from, spans);
      if (end >= 0) this.done = true;
      return end;
    }
    const here = Math.min(this.#remaining, chunk.length - from);
    this.#remaining -= here;
    if (this.#remaining > 0) return bodyNeedsMore;
    this.done = true;
    return from + here;
  }
}
