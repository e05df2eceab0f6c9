/** Reads a container's log as `kubectl logs` asks for it. */
import { type FileHandle, open } from "node:fs/promises";
import { errorCode, Wake } from "#lib";
import type { LogOptions } from "../pod-runtime.ts";
import { type ContainerLog, type LogSegment, timeOf } from "./container-log.ts";

const chunkBytes = 64 * 1024;
/** A line longer than this is handed on in parts: kubelet's limit for one log entry is 16 KiB, ours is kinder. */
const maxLineBytes = 1024 * 1024;

/** @param isOver true once the container has ended, so that a follower knows when the end of the file is the end */
export async function* readLog(
  log: ContainerLog,
  options: LogOptions,
  isOver: () => boolean,
): AsyncIterable<Uint8Array> {
  let left = options.limitBytes ?? Infinity;
  for await (const chunk of rawLog(log, options, isOver)) {
    yield chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= chunk.length;
    if (left <= 0) return;
  }
}

async function* rawLog(log: ContainerLog, options: LogOptions, isOver: () => boolean): AsyncIterable<Uint8Array> {
  const wake = new Wake();
  using _subscription = log.subscribe(wake);
  let generation = log.generation;
  let position = 0;
  const stamped = options.timestamps ? new LineStamper() : undefined;
  for (const start of await startingPoints(log, options)) {
    for await (const chunk of readFrom(start.segment.path, start.offset)) {
      position = chunk.at + chunk.bytes.length;
      yield* emit(stamped, start.segment, chunk);
    }
    if (start.segment.path !== log.path) position = 0;
    else position = Math.max(position, start.offset);
  }
  while (options.follow && !options.signal.aborted) {
    const over = isOver();
    // After a rotation the rest of what we were reading stands in the older file.
    const behind = generation !== log.generation;
    const segment = behind ? log.older : log.current;
    if (segment !== undefined) {
      for await (const chunk of readFrom(segment.path, position)) {
        position = chunk.at + chunk.bytes.length;
        yield* emit(stamped, segment, chunk);
      }
    }
    if (behind) [generation, position] = [log.generation, 0];
    else if (generation !== log.generation) continue;
    else if (over) break;
    else await wake.wait(options.signal).catch(() => {});
  }
  if (stamped !== undefined) yield* stamped.rest();
}

function* emit(stamper: LineStamper | undefined, segment: LogSegment, chunk: Chunk): Iterable<Uint8Array> {
  if (stamper === undefined) yield chunk.bytes;
  else yield* stamper.add(segment, chunk);
}

interface Chunk {
  readonly at: number;
  readonly bytes: Buffer;
}

interface Start {
  readonly segment: LogSegment;
  readonly offset: number;
}

/** Where to begin in each file, oldest first. */
async function startingPoints(log: ContainerLog, options: LogOptions): Promise<Start[]> {
  const segments = [log.older, log.current].filter((segment) => segment !== undefined);
  const starts: Start[] = [];
  let lines = options.tailLines;
  for (const segment of segments.toReversed()) {
    let offset = 0;
    if (lines !== undefined) {
      const tail = await tailOffset(segment.path, lines);
      lines -= tail.lines;
      offset = tail.offset;
    }
    if (options.since !== undefined) offset = Math.max(offset, await offsetSince(segment, options.since));
    starts.unshift({ segment, offset });
  }
  return starts;
}

async function offsetSince(segment: LogSegment, since: Temporal.Instant): Promise<number> {
  const first = segment.stamps.find((stamp) => stamp.atMs >= since.epochMilliseconds);
  return first?.offset ?? (await sizeOf(segment.path));
}

/** Offset of the last `wanted` lines, and how many lines there are from there. A last line without newline counts. */
async function tailOffset(path: string, wanted: number): Promise<{ offset: number; lines: number }> {
  const size = await sizeOf(path);
  if (wanted <= 0 || size === 0) return { offset: size, lines: 0 };
  await using file = await open(path, "r");
  const buffer = Buffer.alloc(chunkBytes);
  let lines = 1;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - chunkBytes);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let i = bytesRead - 1; i >= 0; i--) {
      if (buffer[i] !== 0x0a || start + i === size - 1) continue;
      if (lines === wanted) return { offset: start + i + 1, lines };
      lines++;
    }
    end = start;
  }
  return { offset: 0, lines };
}

async function sizeOf(path: string): Promise<number> {
  const file = await openIfExists(path);
  if (file === undefined) return 0;
  await using held = file;
  return (await held.stat()).size;
}

async function* readFrom(path: string, offset: number): AsyncIterable<Chunk> {
  const file = await openIfExists(path);
  if (file === undefined) return;
  await using held = file;
  for (let at = offset; ;) {
    const { bytesRead, buffer } = await held.read(Buffer.alloc(chunkBytes), 0, chunkBytes, at);
    if (bytesRead === 0) return;
    yield { at, bytes: buffer.subarray(0, bytesRead) };
    at += bytesRead;
  }
}

async function openIfExists(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Puts the time before each line, also when a line comes in pieces. */
class LineStamper {
  #pieces: Buffer[] = [];
  #size = 0;
  #time = "";

  *add(segment: LogSegment, chunk: Chunk): Iterable<Uint8Array> {
    let from = 0;
    while (from < chunk.bytes.length) {
      const newline = chunk.bytes.indexOf(0x0a, from);
      const end = newline < 0 ? chunk.bytes.length : newline + 1;
      if (this.#size === 0) this.#time = stampText(segment, chunk.at + from);
      this.#pieces.push(chunk.bytes.subarray(from, end));
      this.#size += end - from;
      from = end;
      if (newline >= 0 || this.#size > maxLineBytes) yield* this.rest();
    }
  }

  *rest(): Iterable<Uint8Array> {
    if (this.#size === 0) return;
    yield Buffer.concat([Buffer.from(`${this.#time} `), ...this.#pieces]);
    this.#pieces = [];
    this.#size = 0;
  }
}

function stampText(segment: LogSegment, offset: number): string {
  const instant = Temporal.Instant.fromEpochMilliseconds(timeOf(segment.stamps, offset) ?? 0);
  return instant.toString({ fractionalSecondDigits: 9 });
}
