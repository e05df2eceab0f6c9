/**
 * What was scraped, on disk, so that a restart of the control process does not blind a running analysis. One JSON line
 * a batch; series are numbered within a file. Nobody waits for the disk: a killed process loses nothing that the kernel
 * has, a lost power supply costs the last samples, which the next scrape replaces.
 */
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "#lib";
import { type Labels, labelsKey } from "../labels.ts";
import type { Batch, SeriesStore } from "./series-store.ts";

export interface JournalOptions {
  readonly folder: string;
  readonly retentionMs: number;
  readonly log: Log;
}

/** `s`: newly numbered series; `v`: [series number, value as text]; `e`: numbers of ended series. */
interface Line {
  readonly t: number;
  readonly s?: readonly (readonly [number, Labels])[];
  readonly v: readonly (readonly [number, string])[];
  readonly e?: readonly number[];
}

/** A new file after this time, so that expired ones can be deleted whole. */
const segmentMs = 10 * 60_000;
const filePattern = /^(\d+)\.jsonl$/;

export class Journal implements AsyncDisposable {
  readonly #options: JournalOptions;
  #stream: WriteStream | undefined;
  #startedMs = Number.NEGATIVE_INFINITY;
  #numbers = new Map<string, number>();

  private constructor(options: JournalOptions) {
    this.#options = options;
  }

  /** Reads what is within the retention into `store` and deletes what is not. */
  static async open(options: JournalOptions, store: SeriesStore, nowMs: number): Promise<Journal> {
    await mkdir(options.folder, { recursive: true });
    const files = (await readdir(options.folder)).filter((name) => filePattern.test(name));
    for (const file of files.sort((a, b) => startOf(a) - startOf(b))) {
      const path = join(options.folder, file);
      if (startOf(file) + segmentMs < nowMs - options.retentionMs) await rm(path, { force: true });
      else await replayFile(path, store, options.log);
    }
    return new Journal(options);
  }

  append(batch: Batch): void {
    if (batch.timeMs - this.#startedMs >= segmentMs) this.#startSegment(batch.timeMs);
    const fresh: [number, Labels][] = [];
    const number = (labels: Labels): number => {
      const key = labelsKey(labels);
      const known = this.#numbers.get(key);
      if (known !== undefined) return known;
      const next = this.#numbers.size;
      this.#numbers.set(key, next);
      fresh.push([next, labels]);
      return next;
    };
    const v = batch.samples.map(({ labels, value }) => [number(labels), String(value)] as const);
    const e = (batch.ended ?? []).map(number);
    const line: Line = {
      t: batch.timeMs,
      v,
      ...(fresh.length > 0 ? { s: fresh } : {}),
      ...(e.length > 0 ? { e } : {}),
    };
    this.#stream?.write(`${JSON.stringify(line)}\n`);
  }

  async expire(nowMs: number): Promise<void> {
    const limit = nowMs - this.#options.retentionMs - segmentMs;
    for (const name of await readdir(this.#options.folder)) {
      if (filePattern.test(name) && startOf(name) < limit) await rm(join(this.#options.folder, name), { force: true });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stream = this.#stream;
    if (stream !== undefined) await new Promise<void>((resolve) => stream.end(() => resolve()));
  }

  #startSegment(timeMs: number): void {
    this.#stream?.end();
    this.#numbers = new Map();
    this.#startedMs = timeMs;
    this.#stream = createWriteStream(join(this.#options.folder, `${Math.floor(timeMs)}.jsonl`), { flags: "a" });
    this.#stream.on("error", (error) => this.#options.log.warn("Cannot write the metrics journal", { error }));
  }
}

function startOf(file: string): number {
  return Number(filePattern.exec(file)?.[1] ?? 0);
}

/** What cannot be read (a broken disk, a file longer than text may be) is a gap in a graph, no reason not to start. */
async function replayFile(path: string, store: SeriesStore, log: Log): Promise<void> {
  try {
    replay(await readFile(path, "utf8"), store, log);
  } catch (error) {
    log.warn("Cannot read a part of the metrics journal, going on without it", { path, error });
  }
}

function replay(text: string, store: SeriesStore, log: Log): void {
  const series = new Map<number, Labels>();
  for (const row of text.split("\n")) {
    if (row === "") continue;
    let line: Line;
    try {
      line = JSON.parse(row) as Line;
    } catch {
      // The last line of a killed process may be cut short.
      log.debug("Skipped a broken line of the metrics journal");
      continue;
    }
    for (const [number, labels] of line.s ?? []) series.set(number, labels);
    const samples = line.v.flatMap(([number, value]) => {
      const labels = series.get(number);
      return labels === undefined ? [] : [{ labels, value: Number(value) }];
    });
    const ended = (line.e ?? []).map((number) => series.get(number)).filter((labels) => labels !== undefined);
    store.append({ timeMs: line.t, samples, ended });
  }
}
