/**
 * Bytes to lines. A UTF-8 character or a line end may be split over chunks at any byte. Lines over the limit are cut
 * but their rest is consumed; the cut leaves room for the masker to see a secret that lies across it.
 */
import { StringDecoder } from "node:string_decoder";

export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #limit: () => number;
  readonly #emit: (line: string) => void;
  #partial = "";

  /** @param limit UTF-16 units of one line that are kept; asked each time, for it grows with the masks */
  constructor(limit: () => number, emit: (line: string) => void) {
    this.#limit = limit;
    this.#emit = emit;
  }

  push(chunk: Uint8Array): void {
    this.#take(this.#decoder.write(chunk));
  }

  /** Emits what stands without a line end. */
  end(): void {
    this.#take(this.#decoder.end());
    if (this.#partial !== "") this.#flush();
  }

  #take(text: string): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", from)) {
      this.#append(text.slice(from, at));
      this.#flush();
      from = at + 1;
    }
    this.#append(text.slice(from));
  }

  #append(text: string): void {
    const room = this.#limit() - this.#partial.length;
    if (room > 0) this.#partial += text.slice(0, room);
  }

  #flush(): void {
    const line = this.#partial.endsWith("\r") ? this.#partial.slice(0, -1) : this.#partial;
    this.#partial = "";
    this.#emit(line);
  }
}
