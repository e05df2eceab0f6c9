/**
 * Logs of steps as files: `<job>/<try>/<step>.log`, one line `<time> <text>` each. What is acknowledged survives this
 * process however it ends, as the rows about it do; with the power the last moments may go, of both. What a crash left
 * half written at the end is cut off when the file is next appended to.
 */
import { closeSync, createReadStream, existsSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorCode, KeyedLock } from "#lib";
import type { LogLine } from "../protocol.ts";

/** Which step of which try of a job. All are numbers that our own tables gave out or the protocol checked. */
export interface LogKey {
  readonly jobId: number;
  readonly try: number;
  readonly step: number;
}

interface LogEnd {
  readonly lines: number;
  readonly bytes: number;
}

/** Where a reader goes on: the line and byte it has read up to. */
export type LogPosition = LogEnd;

export const logStart: LogPosition = { lines: 0, bytes: 0 };

/** Bytes one step may log; all that comes after is acknowledged and dropped, with a line that says so. */
const maxStepBytes = 1024 * 1024 * 1024;
/** Files whose end is remembered; the others are counted again when they are appended to. */
const rememberedFiles = 1_000;

const newline = 0x0a;

export class LogStore {
  readonly #folder: string;
  readonly #ends = new Map<string, LogEnd>();
  readonly #lock = new KeyedLock();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps the lines it does not have yet and returns how many lines it has, all of them written. */
  append(key: LogKey, firstLine: number, lines: readonly LogLine[]): Promise<number> {
    const path = this.#path(key);
    return this.#lock.run(path, async () => {
      const end = this.#ends.get(path) ?? (await this.#recover(path));
      if (end.bytes >= maxStepBytes) return Math.max(end.lines, firstLine + lines.length);
      const fresh = firstLine > end.lines ? [] : lines.slice(end.lines - firstLine);
      if (fresh.length === 0) {
        this.#remember(path, end);
        return end.lines;
      }
      this.#ends.delete(path);
      this.#remember(path, this.#write(path, end, fresh));
      return end.lines + fresh.length;
    });
  }

  /** Lines that are whole, from `position` on. */
  async *read(
    key: LogKey,
    position: LogPosition,
    signal: AbortSignal,
  ): AsyncGenerator<LogLine & { readonly next: LogPosition }> {
    let { lines, bytes } = position;
    let rest: Buffer = Buffer.alloc(0);
    try {
      for await (const chunk of createReadStream(this.#path(key), { start: bytes, signal })) {
        const data = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
        let from = 0;
        for (let at = data.indexOf(newline); at >= 0; at = data.indexOf(newline, from)) {
          const text = data.toString("utf8", from, at);
          lines += 1;
          bytes += at + 1 - from;
          from = at + 1;
          const space = text.indexOf(" ");
          yield { time: text.slice(0, space), text: text.slice(space + 1), next: { lines, bytes } };
        }
        rest = data.subarray(from);
      }
    } catch (error) {
      if (errorCode(error) !== "ENOENT") throw error;
    }
  }

  /** Forgets all logs of a job. */
  async remove(jobId: number): Promise<void> {
    await rm(join(this.#folder, String(jobId)), { recursive: true, force: true });
  }

  /** How many whole lines there are. */
  async count(key: LogKey): Promise<number> {
    const path = this.#path(key);
    return (this.#ends.get(path) ?? (await countLines(path)) ?? logStart).lines;
  }

  /** Numbers of the steps that logged something. */
  async steps(jobId: number, attempt: number): Promise<readonly number[]> {
    try {
      const names = await readdir(join(this.#folder, String(jobId), String(attempt)));
      return names.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
    } catch (error) {
      if (errorCode(error) === "ENOENT") return [];
      throw error;
    }
  }

  #path(key: LogKey): string {
    return join(this.#folder, String(key.jobId), String(key.try), `${key.step}.log`);
  }

  async #recover(path: string): Promise<LogEnd> {
    // Mostly it is a step's first line: there is no file, and of a job's first one no folder.
    if (!existsSync(path)) {
      mkdirSync(dirname(path), { recursive: true });
      return logStart;
    }
    const end = (await countLines(path)) ?? logStart;
    appending(path, (file) => ftruncateSync(file, end.bytes));
    return end;
  }

  #write(path: string, end: LogEnd, lines: readonly LogLine[]): LogEnd {
    let data = Buffer.from(lines.map((line) => `${line.time} ${line.text}\n`).join(""));
    if (end.bytes + data.length >= maxStepBytes) {
      const time = lines[0]?.time ?? "";
      const notice = Buffer.from(`${time} Log is over ${maxStepBytes} bytes: what comes after this line is not kept\n`);
      data = Buffer.concat([data, notice]);
    }
    appending(path, (file) => writeFileSync(file, data));
    return { lines: end.lines + lines.length, bytes: end.bytes + data.length };
  }

  #remember(path: string, end: LogEnd): void {
    this.#ends.delete(path);
    this.#ends.set(path, end);
    const oldest = this.#ends.size > rememberedFiles ? this.#ends.keys().next().value : undefined;
    if (oldest !== undefined) this.#ends.delete(oldest);
  }
}

/** Synchronous: a promise costs more than any of the calls. */
function appending(path: string, change: (file: number) => void): void {
  const file = openSync(path, "a");
  try {
    change(file);
  } finally {
    closeSync(file);
  }
}

/** Undefined when there is no file. */
async function countLines(path: string): Promise<LogEnd | undefined> {
  let lines = 0;
  let bytes = 0;
  let read = 0;
  try {
    for await (const chunk of createReadStream(path)) {
      const data = chunk as Buffer;
      for (let at = data.indexOf(newline); at >= 0; at = data.indexOf(newline, at + 1)) {
        lines += 1;
        bytes = read + at + 1;
      }
      read += data.length;
    }
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    return undefined;
  }
  return { lines, bytes };
}
