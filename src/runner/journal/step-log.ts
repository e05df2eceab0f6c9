/** The log of each step on disk, appended synchronously so that what a step printed survives the runner. */
import { closeSync, fstatSync, openSync, readdirSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { LogLine } from "#workflows";

/** Read at once when sending. */
const readBytes = 512 * 1024;

export interface LogSlice {
  readonly lines: readonly LogLine[];
  /** Where the next slice starts. */
  readonly nextOffset: number;
}

export class StepLogs implements Disposable {
  readonly #folder: string;
  readonly #open = new Map<number, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  append(step: number, lines: readonly LogLine[]): void {
    if (lines.length === 0) return;
    writeSync(this.#descriptor(step), `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`);
  }

  /** Steps that have a log, in order. */
  steps(): number[] {
    const names = readdirSync(this.#folder).map((name) => /^(\d+)\.jsonl$/.exec(name)?.[1]);
    return names.flatMap((name) => (name === undefined ? [] : [Number(name)])).sort((a, b) => a - b);
  }

  /** Whole lines from a byte offset on; a last line cut by a crash is not one. */
  read(step: number, offset: number, maxLines: number): LogSlice {
    const descriptor = this.#descriptor(step);
    let size = readBytes;
    for (;;) {
      const buffer = Buffer.alloc(size);
      const length = readSync(descriptor, buffer, 0, size, offset);
      const slice = wholeLines(buffer.subarray(0, length), offset, maxLines);
      if (slice.lines.length > 0 || length < size) return slice;
      size *= 4;
    }
  }

  size(step: number): number {
    return fstatSync(this.#descriptor(step)).size;
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

function wholeLines(bytes: Buffer, offset: number, maxLines: number): LogSlice {
  const lines: LogLine[] = [];
  let at = 0;
  for (let end = bytes.indexOf(10, at); end !== -1 && lines.length < maxLines; end = bytes.indexOf(10, at)) {
    lines.push(JSON.parse(bytes.toString("utf8", at, end)) as LogLine);
    at = end + 1;
  }
  return { lines, nextOffset: offset + at };
}
