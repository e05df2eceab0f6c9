/**
 * The log of each step on disk, appended synchronously so that what a step printed survives the runner. Lines are kept
 * as the JSON they are sent as, so that sending them is copying bytes.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Read at once when sending. */
const readBytes = 2 * 1024 * 1024;

export interface LogSlice {
  /** Whole lines, each the JSON of a `LogLine`, with commas between them. */
  readonly json: Buffer;
  readonly lines: number;
  /** Where the next slice starts. */
  readonly nextOffset: number;
}

const newline = 0x0a;
const comma = 0x2c;

export class StepLogs implements Disposable {
  readonly #folder: string;
  readonly #open = new Map<number, number>();
  readonly #sizes: Map<number, number>;

  constructor(folder: string) {
    this.#folder = folder;
    // What an earlier life of the runner has left.
    const names = readdirSync(folder).flatMap((name) => /^(\d+)\.jsonl$/.exec(name)?.[1] ?? []);
    this.#sizes = new Map(names.map((name) => [Number(name), fstatSync(this.#descriptor(Number(name))).size]));
  }

  /** Lines of one time; each is written as the JSON of a `LogLine`. */
  append(step: number, time: string, texts: readonly string[]): void {
    if (texts.length === 0) return;
    const head = `{"time":${JSON.stringify(time)},"text":`;
    const bytes = Buffer.from(texts.map((text) => `${head}${JSON.stringify(text)}}\n`).join(""));
    writeSync(this.#descriptor(step), bytes);
    this.#sizes.set(step, this.size(step) + bytes.length);
  }

  /** Steps that have a log, in order. */
  steps(): number[] {
    return [...this.#sizes.keys()].sort((a, b) => a - b);
  }

  /** Whole lines from a byte offset on; a last line cut by a crash is not one. At least one, if there is one. */
  read(step: number, offset: number, maxLines: number, maxBytes = readBytes): LogSlice {
    const left = this.size(step) - offset;
    for (let wanted = Math.min(left, maxBytes); ; wanted = Math.min(left, wanted * 4)) {
      const buffer = Buffer.allocUnsafe(wanted);
      const length = readSync(this.#descriptor(step), buffer, 0, wanted, offset);
      const slice = wholeLines(buffer.subarray(0, length), offset, maxLines);
      if (slice.lines > 0 || wanted >= left) return slice;
    }
  }

  size(step: number): number {
    return this.#sizes.get(step) ?? 0;
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#open.values()) closeSync(descriptor);
    this.#open.clear();
  }

  #descriptor(step: number): number {
    const open = this.#open.get(step) ?? openSync(join(this.#folder, `${step}.jsonl`), "a+", 0o600);
    this.#open.set(step, open);
    return open;
  }
}

/** A line end is never within a line: JSON writes it as two characters. */
function wholeLines(bytes: Buffer, offset: number, maxLines: number): LogSlice {
  let lines = 0;
  let end = 0;
  for (let at = bytes.indexOf(newline); at !== -1 && lines < maxLines; at = bytes.indexOf(newline, at + 1)) {
    bytes[at] = comma;
    lines += 1;
    end = at + 1;
  }
  return { json: bytes.subarray(0, Math.max(0, end - 1)), lines, nextOffset: offset + end };
}
