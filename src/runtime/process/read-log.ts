/** Reads a container's log as `kubectl logs` asks for it. */
import { type FileHandle, open } from "node:fs/promises";
import { errorCode, Wake } from "#lib";
import type { LogOptions } from "../pod-runtime.ts";
import { type ContainerLog, type LogSegment, timeOf } from "./container-log.ts";

const chunkBytes = 64 * 1024;
/** A line longer than this is handed on in parts: kubelet's limit for one log entry is 16 KiB, ours is kinder. */
const maxLineBytes = 1024 * 1024;

/** A place in the log: a rotation makes what was `current` in generation n the `older` of n + 1. */
export interface LogPosition {
  readonly generation: number;
  readonly offset: number;
}

/**
 * @param isOver true once the container has ended, so that a follower knows when the end of the file is the end
 * @param from instead of where the options say
 */
export async function* readLog(
  log: ContainerLog,
  options: LogOptions,
  isOver: () => boolean,
  from?: LogPosition,
): AsyncIterable<Uint8Array> {
  let left = options.limitBytes ?? Infinity;
  for await (const chunk of rawLog(log, options, isOver, from)) {
    yield chunk.length > left ? chunk.subarray(0, left) : chunk;
    left -= chunk.length;
    if (left <= 0) return;
  }
}

async function* rawLog(
  log: ContainerLog,
  options: LogOptions,
  isOver: () => boolean,
  from: LogPosition | undefined,
): AsyncIterable<Uint8Array> {
  const wake = new Wake();
  using _subscription = log.subscribe(wake);
  log.catchUp();
  const stamper = options.timestamps ? new LineStamper() : undefined;
  // Without following, what is written from now on is not waited for, however fast it comes.
  const end = options.follow ? undefined : log.end;
  let position = from ?? (await startingPosition(log, options));
  while (!options.signal.aborted) {
    const over = isOver();
    // A reader more than one rotation behind goes on with the oldest there is: what stood between is gone.
    if (log.generation - position.generation > 1) position = { generation: log.generation - 1, offset: 0 };
    for await (const chunk of readSegment(log, position, end)) {
      position = { ...position, offset: chunk.at + chunk.bytes.length };
      yield* emit(stamper, chunk);
    }
    if (end !== undefined && !isBefore(position, end)) break;
    if (position.generation < log.generation) {
      const isRead = (await sizeOf(segmentOf(log, position)?.path ?? "")) <= position.offset;
      if (isRead && position.generation < log.generation) position = { generation: position.generation + 1, offset: 0 };
    } else if (over || end !== undefined) break;
    else await wake.wait(options.signal).catch(() => {});
  }
  if (stamper !== undefined) yield* stamper.rest();
}

function isBefore(position: LogPosition, end: LogPosition): boolean {
  if (position.generation !== end.generation) return position.generation < end.generation;
  return position.offset < end.offset;
}

function segmentOf(log: ContainerLog, { generation }: LogPosition): LogSegment | undefined {
  return generation === log.generation ? log.current : generation === log.generation - 1 ? log.older : undefined;
}

/** From the position to the end of its file, at most to `end`; stops where a rotation takes the file away. */
async function* readSegment(
  log: ContainerLog,
  from: LogPosition,
  end: LogPosition | undefined,
): AsyncIterable<Chunk & { readonly segment: LogSegment }> {
  const segment = segmentOf(log, from);
  const { generation } = log;
  const file = segment === undefined ? undefined : await openIfExists(segment.path);
  if (file === undefined || segment === undefined) return;
  await using held = file;
  const last = end?.generation === from.generation ? end.offset : Infinity;
  for (let at = from.offset; at < last;) {
    const size = Math.min(chunkBytes, last - at);
    const { bytesRead, buffer } = await held.read(Buffer.alloc(size), 0, size, at);
    // What was read may be of the file as it was before or after the cut.
    if (bytesRead === 0 || log.generation !== generation) return;
    yield { at, bytes: buffer.subarray(0, bytesRead), segment };
    at += bytesRead;
  }
}

function* emit(
  stamper: LineStamper | undefined,
  chunk: Chunk & { readonly segment: LogSegment },
): Iterable<Uint8Array> {
  if (stamper === undefined) yield chunk.bytes;
  else yield* stamper.add(chunk.segment, chunk);
}

interface Chunk {
  readonly at: number;
  readonly bytes: Buffer;
}

/** The first byte that the options ask for. */
async function startingPosition(log: ContainerLog, options: LogOptions): Promise<LogPosition> {
  const { generation } = log;
  const offset = await startingOffset(log.current, options.tailLines, options.since);
  const { older } = log;
  if (offset.lines === undefined || older === undefined) return { generation, offset: offset.at };
  const wanted = Number.isFinite(offset.lines) ? offset.lines : undefined;
  const before = await startingOffset(older, wanted, options.since);
  if (before.at < (await sizeOf(older.path))) return { generation: generation - 1, offset: before.at };
  return { generation, offset: offset.at };
}

/** `lines`: how many lines are wanted from before this file; undefined when none are. */
async function startingOffset(
  segment: LogSegment,
  tailLines: number | undefined,
  since: Temporal.Instant | undefined,
): Promise<{ readonly at: number; readonly lines: number | undefined }> {
  const tail = tailLines === undefined ? { offset: 0, lines: -Infinity } : await tailOffset(segment.path, tailLines);
  const at = Math.max(tail.offset, since === undefined ? 0 : await offsetSince(segment, since));
  if (at > 0) return { at, lines: undefined };
  const left = (tailLines ?? Infinity) - tail.lines;
  return { at, lines: left > 0 ? left : undefined };
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
