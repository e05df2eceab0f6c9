/**
 * What a container wrote. The container appends to `output.log` itself (so that it needs no control process to write
 * to); this class notes when which bytes were seen (`output.times`), keeps the size bounded, and reads.
 *
 * Times are when the control process saw the bytes, at most `stampEveryMs` late; for what was written while it was down,
 * the file's time. Rotation copies to `output.1.log` and empties the file: bytes written in the few microseconds between
 * the copy's end and the cut are lost, which is why the limit is generous.
 */
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Clock, readFileIfExists, type Wake } from "#lib";

export interface Stamp {
  /** Bytes from here on were seen at `atMs`. */
  readonly offset: number;
  readonly atMs: number;
}

/** One file of the log: the present one, or the one before the last rotation. */
export interface LogSegment {
  readonly path: string;
  readonly stamps: readonly Stamp[];
}

const stampEveryMs = 50;

export class ContainerLog {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #readers = new Set<Wake>();
  #stamps: Stamp[] = [];
  #olderStamps: Stamp[] = [];
  #seen = 0;
  #generation = 0;
  #timer: Disposable | undefined;
  #lastStampMs = -Infinity;

  readonly #onError: (error: unknown) => void;

  /** @param onError a full disk must not end the control process: the container goes on, its times are not noted */
  constructor(folder: string, clock: Clock, maxBytes: number, onError: (error: unknown) => void) {
    this.#onError = onError;
    this.#folder = folder;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  get path(): string {
    return join(this.#folder, "output.log");
  }

  /** Counts rotations since the log was opened: a reader at the end of generation n goes on at the start of n + 1. */
  get generation(): number {
    return this.#generation;
  }

  /** Where the next byte will stand. */
  get end(): { readonly generation: number; readonly offset: number } {
    return {
      generation: this.#generation,
      offset: statSync(this.path, { throwIfNoEntry: false })?.size ?? 0,
    };
  }

  get current(): LogSegment {
    return { path: this.path, stamps: this.#stamps };
  }

  get older(): LogSegment | undefined {
    const path = join(this.#folder, "output.1.log");
    return existsSync(path) ? { path, stamps: this.#olderStamps } : undefined;
  }

  /** Reads the times an earlier control process noted, and stamps what it did not see. */
  async restore(): Promise<void> {
    this.#stamps = parseStamps(await readFileIfExists(join(this.#folder, "output.times")));
    this.#olderStamps = parseStamps(await readFileIfExists(join(this.#folder, "output.1.times")));
    const { size, mtimeMs } = statSync(this.path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
    this.#seen = Math.min(size, Number(this.#stamps.at(-1)?.offset ?? 0));
    if (size > this.#seen && this.#stamps.at(-1)?.offset !== this.#seen) this.#stamp(this.#seen, Math.round(mtimeMs));
    this.#seen = size;
  }

  /** The file may have grown. Cheap to call often. */
  touch(): void {
    for (const reader of this.#readers) reader.notify();
    if (this.#timer !== undefined) return;
    const waitMs = this.#lastStampMs + stampEveryMs - this.#clock.monotonicMs();
    if (waitMs <= 0) this.#look();
    else {
      this.#timer = this.#clock.schedule(waitMs, () => {
        this.#timer = undefined;
        this.#look();
      });
    }
  }

  /** Notes what has been written and not been told of yet: who asks for lines by their time must find them all. */
  catchUp(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#look();
  }

  /** After the last write: notes it and lets followers see the end. */
  finish(): void {
    this.catchUp();
    for (const reader of this.#readers) reader.notify();
  }

  /** `wake` is notified whenever there may be more to read. */
  subscribe(wake: Wake): Disposable {
    this.#readers.add(wake);
    return { [Symbol.dispose]: () => void this.#readers.delete(wake) };
  }

  #look(): void {
    try {
      const size = statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
      if (size > this.#seen) {
        this.#stamp(this.#seen, this.#clock.now().epochMilliseconds);
        this.#seen = size;
        this.#lastStampMs = this.#clock.monotonicMs();
      }
      if (size > this.#maxBytes) this.#rotate();
    } catch (error) {
      this.#onError(error);
    }
  }

  #stamp(offset: number, atMs: number): void {
    this.#stamps.push({ offset, atMs });
    appendFileSync(join(this.#folder, "output.times"), `${offset} ${atMs}\n`);
  }

  #rotate(): void {
    const older = join(this.#folder, "output.1.log");
    const draft = `${older}.tmp`;
    copyFileSync(this.path, draft);
    const from = openSync(this.path, "r+");
    const to = openSync(draft, "r+");
    try {
      copyRest(from, to);
      renameSync(draft, older);
      writeFileSync(join(this.#folder, "output.1.times"), this.#stamps.map((s) => `${s.offset} ${s.atMs}\n`).join(""));
      ftruncateSync(from);
    } finally {
      closeSync(from);
      closeSync(to);
    }
    writeFileSync(join(this.#folder, "output.times"), "");
    this.#olderStamps = this.#stamps;
    this.#stamps = [];
    this.#seen = 0;
    this.#generation++;
  }
}

/** Copies what was appended since the bulk was copied, until there is no more. */
function copyRest(from: number, to: number): void {
  const buffer = Buffer.alloc(64 * 1024);
  let at = fstatSync(to).size;
  for (;;) {
    const count = readSync(from, buffer, 0, buffer.length, at);
    if (count === 0) return;
    writeSync(to, buffer, 0, count, at);
    at += count;
  }
}

function parseStamps(text: string | undefined): Stamp[] {
  const stamps: Stamp[] = [];
  for (const line of (text ?? "").split("\n")) {
    const match = /^(\d+) (\d+)$/.exec(line);
    if (match !== null) stamps.push({ offset: Number(match[1]), atMs: Number(match[2]) });
  }
  return stamps;
}

/** When the byte at `offset` was seen: the last stamp at or before it. */
export function timeOf(stamps: readonly Stamp[], offset: number): number | undefined {
  let [low, high] = [0, stamps.length - 1];
  let found: Stamp | undefined = stamps[0];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const stamp = stamps[middle];
    if (stamp === undefined) break;
    if (stamp.offset <= offset) {
      found = stamp;
      low = middle + 1;
    } else high = middle - 1;
  }
  return found?.atMs;
}
