/**
 * Follows a chunked body (RFC 9112 7.1) through any split of the stream. It does not rewrite: a body that passes may be
 * sent on byte for byte. Strict: no blank after the size, CRLF only, trailers are real header lines.
 */
import { isTokenCode } from "./header-fields.ts";

const CR = 13;
const LF = 10;

/** More would not be a whole number any more. */
const maxSizeDigits = 13;
/** Extensions of one chunk; nobody uses them but attackers. */
const maxExtensionBytes = 256;
const maxTrailerBytes = 16 * 1024;

export const bodyNeedsMore = -1;
export const bodyMalformed = -2;

type State =
  | "size"
  | "extension"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "trailer-start"
  | "trailer-name"
  | "trailer-value"
  | "trailer-lf"
  | "last-lf";

export class ChunkedBody {
  #state: State = "size";
  #size = 0;
  #digits = 0;
  #extra = 0;

  /**
   * @param spans gets pairs of offsets of the payload, when the caller must send it without the chunk framing
   * @returns the offset behind the body, `bodyNeedsMore` or `bodyMalformed`
   */
  consume(chunk: Buffer, from: number, spans?: number[]): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#state === "data") {
        const end = Math.min(chunk.length, at + this.#size);
        spans?.push(at, end);
        this.#size -= end - at;
        at = end;
        if (this.#size === 0) this.#state = "data-cr";
        continue;
      }
      const last = this.#state === "last-lf";
      if (!this.#step(chunk[at] ?? 0)) return bodyMalformed;
      at++;
      if (last) return at;
    }
    return bodyNeedsMore;
  }

  /** @returns false when `byte` may not stand here */
  #step(byte: number): boolean {
    switch (this.#state) {
      case "size":
        return this.#sizeByte(byte);
      case "extension":
        if (byte === CR) return this.#to("size-lf");
        return ++this.#extra <= maxExtensionBytes && isText(byte);
      case "size-lf":
        if (byte !== LF) return false;
        this.#digits = 0;
        this.#extra = 0;
        return this.#to(this.#size === 0 ? "trailer-start" : "data");
      case "data-cr":
        return byte === CR && this.#to("data-lf");
      case "data-lf":
        return byte === LF && this.#to("size");
      case "last-lf":
        return byte === LF;
      case "data":
        return false;
      default:
        return this.#trailerByte(this.#state, byte);
    }
  }

  #sizeByte(byte: number): boolean {
    const digit = hexValue(byte);
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      return ++this.#digits <= maxSizeDigits;
    }
    if (this.#digits === 0) return false;
    if (byte === CR) return this.#to("size-lf");
    return byte === 59 && this.#to("extension");
  }

  #trailerByte(state: "trailer-start" | "trailer-name" | "trailer-value" | "trailer-lf", byte: number): boolean {
    if (++this.#extra > maxTrailerBytes) return false;
    switch (state) {
      case "trailer-start":
        if (byte === CR) return this.#to("last-lf");
        return isTokenCode(byte) && this.#to("trailer-name");
      case "trailer-name":
        return byte === 58 ? this.#to("trailer-value") : isTokenCode(byte);
      case "trailer-value":
        return byte === CR ? this.#to("trailer-lf") : isText(byte);
      case "trailer-lf":
        return byte === LF && this.#to("trailer-start");
    }
  }

  #to(state: State): true {
    this.#state = state;
    return true;
  }
}

function isText(byte: number): boolean {
  return byte === 9 || (byte >= 0x20 && byte !== 0x7f);
}

function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
