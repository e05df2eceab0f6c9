/**
 * The framing of logs, attach and exec without a terminal (Engine API, "Stream format"): a head of eight bytes, the
 * first being the stream (1 standard output, 2 standard error) and the last four the length, then so many bytes.
 */
export interface Frame {
  readonly stream: "stdout" | "stderr";
  readonly bytes: Buffer;
}

const headBytes = 8;

/** Takes chunks as they come and gives the parts of frames in them; a frame may come in any number of parts. */
export class FrameReader {
  #head = Buffer.alloc(0);
  #stream: Frame["stream"] = "stdout";
  #left = 0;

  *push(chunk: Buffer): Iterable<Frame> {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#left > 0) {
        const bytes = rest.subarray(0, this.#left);
        rest = rest.subarray(bytes.length);
        this.#left -= bytes.length;
        yield { stream: this.#stream, bytes };
        continue;
      }
      const wanted = headBytes - this.#head.length;
      this.#head = Buffer.concat([this.#head, rest.subarray(0, wanted)]);
      rest = rest.subarray(wanted);
      if (this.#head.length < headBytes) return;
      this.#stream = this.#head[0] === 2 ? "stderr" : "stdout";
      this.#left = this.#head.readUInt32BE(4);
      this.#head = Buffer.alloc(0);
    }
  }
}
