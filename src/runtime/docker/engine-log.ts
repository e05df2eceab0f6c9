/** A container's log as the engine keeps it, in the form that `kubectl logs` wants. */
import type { Readable } from "node:stream";
import { type EngineClient, FrameReader } from "#engine";
import type { LogOptions } from "../pod-runtime.ts";

/** A longer line is handed on in parts. */
const maxLineBytes = 1024 * 1024;

export async function* engineLog(
  engine: EngineClient,
  id: string,
  tty: boolean,
  options: LogOptions,
): AsyncIterable<Uint8Array> {
  let left = options.limitBytes ?? Infinity;
  const stop = new AbortController();
  try {
    const signal = AbortSignal.any([options.signal, stop.signal]);
    for await (const chunk of stamped(await open(engine, id, options, signal), tty, options.timestamps)) {
      yield chunk.length > left ? chunk.subarray(0, left) : chunk;
      left -= chunk.length;
      if (left <= 0) return;
    }
  } catch (error) {
    if (!options.signal.aborted) throw error;
  } finally {
    stop.abort();
  }
}

async function open(engine: EngineClient, id: string, options: LogOptions, signal: AbortSignal): Promise<Readable> {
  const since = options.since === undefined ? undefined : sinceText(options.since);
  const query = {
    stdout: 1,
    stderr: 1,
    follow: options.follow ? 1 : 0,
    timestamps: options.timestamps ? 1 : 0,
    tail: options.tailLines ?? "all",
    since,
  };
  return await engine.stream("GET", `/containers/${id}/logs`, { query, signal });
}

/** Seconds with nine decimals, as the Engine API writes times. */
function sinceText(since: Temporal.Instant): string {
  const nanoseconds = since.epochNanoseconds;
  return `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, "0")}`;
}

async function* stamped(source: Readable, tty: boolean, timestamps: boolean): AsyncIterable<Uint8Array> {
  const frames = new FrameReader();
  // Each stream has lines of its own; a frame need not end with one.
  const lines = { stdout: new LineJoiner(), stderr: new LineJoiner() };
  for await (const chunk of source as AsyncIterable<Buffer>) {
    const parts = tty ? [{ stream: "stdout" as const, bytes: chunk }] : frames.push(chunk);
    for (const { stream, bytes } of parts) {
      if (timestamps) yield* lines[stream].push(bytes);
      else yield bytes;
    }
  }
  if (timestamps) for (const joiner of [lines.stdout, lines.stderr]) yield* joiner.rest();
}

/** Whole lines, their time written as Kubernetes does: UTC with nine decimals. */
class LineJoiner {
  #pieces: Buffer[] = [];
  #size = 0;

  *push(bytes: Buffer): Iterable<Uint8Array> {
    let from = 0;
    while (from < bytes.length) {
      const newline = bytes.indexOf(0x0a, from);
      const end = newline < 0 ? bytes.length : newline + 1;
      this.#pieces.push(bytes.subarray(from, end));
      this.#size += end - from;
      from = end;
      if (newline >= 0 || this.#size > maxLineBytes) yield* this.rest();
    }
  }

  *rest(): Iterable<Uint8Array> {
    if (this.#size === 0) return;
    const line = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#size = 0;
    yield withKubernetesTime(line);
  }
}

function withKubernetesTime(line: Buffer): Buffer {
  const blank = line.indexOf(0x20);
  const time = /^\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)$/.exec(line.subarray(0, blank).toString("latin1"))?.[0];
  if (time === undefined) return line;
  const instant = Temporal.Instant.from(time).toString({ fractionalSecondDigits: 9 });
  return Buffer.concat([Buffer.from(instant), line.subarray(blank)]);
}
