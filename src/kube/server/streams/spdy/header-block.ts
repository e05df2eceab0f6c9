/**
 * Header blocks of SPDY/3.1 (draft 3, section 2.6.10): a count, then names and values behind their lengths, in one zlib
 * stream that all blocks of a direction share.
 *
 * We write without compressing (RFC 1951, 3.2.4 "stored" blocks), which every reader reads, needs no state but whether
 * the zlib header went out, and leaks nothing by its length (CRIME).
 */
import { constants, createInflate, type Inflate } from "node:zlib";
import { StreamError } from "../errors.ts";
import { headerDictionary, headerDictionaryId } from "./dictionary.ts";

export type SpdyHeaders = Readonly<Record<string, string>>;

const maxBlockBytes = 64 * 1024;
const maxPairs = 100;

/** Before compression. Names are lower case on the wire. */
export function writePairs(headers: SpdyHeaders): Buffer {
  const parts: Buffer[] = [];
  const entries = Object.entries(headers);
  const number = (value: number): void => {
    const word = Buffer.alloc(4);
    word.writeUInt32BE(value);
    parts.push(word);
  };
  number(entries.length);
  for (const text of entries.flatMap(([name, value]) => [name.toLowerCase(), value])) {
    const bytes = Buffer.from(text, "utf8");
    number(bytes.length);
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}

/** Throws `kube/spdy-protocol`. Of several values for a name (parted by NUL) the first counts. */
export function readPairs(block: Buffer): SpdyHeaders {
  let at = 0;
  const number = (): number => {
    if (at + 4 > block.length) throw broken("it ends inside a length");
    at += 4;
    return block.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const length = number();
    if (length > block.length - at) throw broken("a text is longer than the block");
    at += length;
    return block.toString("utf8", at - length, at);
  };
  const count = number();
  if (count > maxPairs) throw broken(`it has ${count} headers, over ${maxPairs}`);
  // Without a prototype: a header may be called __proto__.
  const headers = Object.create(null) as Record<string, string>;
  for (let pair = 0; pair < count; pair++) {
    const name = text().toLowerCase();
    headers[name] = text().split("\0", 1)[0] ?? "";
  }
  return headers;
}

export class HeaderDeflater {
  #started = false;

  deflate(headers: SpdyHeaders): Buffer {
    const pairs = writePairs(headers);
    if (pairs.length > 0xffff) throw broken("it is too long to be sent");
    const head = Buffer.alloc(5);
    head.writeUInt16LE(pairs.length, 1);
    head.writeUInt16LE(pairs.length ^ 0xffff, 3);
    const start = this.#started ? Buffer.alloc(0) : zlibHeader();
    this.#started = true;
    return Buffer.concat([start, head, pairs, syncFlush]);
  }
}

/** An empty stored block: some readers, Go's among them, hand out what they have only when they meet one. */
const syncFlush = Buffer.from([0, 0, 0, 0xff, 0xff]);

/** RFC 1950: deflate with a 32 KiB window and a preset dictionary. */
function zlibHeader(): Buffer {
  const header = Buffer.from([0x78, 0x20, 0, 0, 0, 0]);
  header.writeUInt32BE(headerDictionaryId, 2);
  return header;
}

/** One call at a time, in the order of the frames. */
export class HeaderInflater implements Disposable {
  readonly #zlib: Inflate;
  #out: Buffer[] = [];
  #size = 0;
  #failed: ((error: Error) => void) | undefined;

  constructor() {
    this.#zlib = createInflate({ dictionary: headerDictionary, flush: constants.Z_SYNC_FLUSH, chunkSize: 4096 });
    this.#zlib.on("data", (chunk: Buffer) => {
      this.#size += chunk.length;
      this.#out.push(chunk);
      // Its write is called back without an error then: `inflate` looks at the size.
      if (this.#size > maxBlockBytes) this.#zlib.destroy();
    });
    this.#zlib.on("error", (error) => this.#failed?.(error));
    this.#zlib.on("close", () => this.#failed?.(broken("the connection is closed")));
  }

  /** Throws `kube/spdy-protocol`. */
  async inflate(block: Uint8Array): Promise<SpdyHeaders> {
    this.#out = [];
    this.#size = 0;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#failed = reject;
        this.#zlib.write(block, (error) => ((error ?? undefined) === undefined ? resolve() : reject(error)));
      });
    } catch (error) {
      throw error instanceof StreamError ? error : broken("it is no zlib stream", error);
    }
    if (this.#size > maxBlockBytes) throw broken(`it is over ${maxBlockBytes} bytes`);
    return readPairs(Buffer.concat(this.#out));
  }

  [Symbol.dispose](): void {
    this.#zlib.destroy();
  }
}

function broken(what: string, cause?: unknown): StreamError {
  return new StreamError("kube/spdy-protocol", `Cannot read a header block of SPDY/3.1: ${what}`, { cause });
}
