/**
 * The log of one job, as it grows. Lines are kept here and not in React: components read the arrays and are told, at
 * most ten times a second, that there is more. A broken stream is taken up again from the start; lines known already
 * are passed over, since each carries its number.
 */
import type { RunLogLine } from "#api";
import { apiBase } from "./api.ts";
import { EventStreamReader, type StreamEvent } from "./event-stream.ts";

const tellMs = 100;
const retryMs = { first: 500, most: 8000 };
/** What a browser tab is asked to hold; the whole log is a download away. */
const maxLines = 200_000;

export interface LogState {
  /** Changes whenever there is more to see. */
  readonly version: number;
  readonly phase: "loading" | "following" | "ended" | "lost";
  readonly lineCount: number;
  readonly cut: boolean;
}

export class LogStream {
  readonly #jobId: string;
  readonly #steps = new Map<number, RunLogLine[]>();
  readonly #listeners = new Set<() => void>();
  #state: LogState = { version: 0, phase: "loading", lineCount: 0, cut: false };
  #lineCount = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop: AbortController | undefined;

  constructor(jobId: string) {
    this.#jobId = jobId;
  }

  readonly getState = (): LogState => this.#state;

  /** The first listener starts the stream, the last one that leaves ends it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#stop === undefined) {
      this.#stop = new AbortController();
      void this.#follow(this.#stop.signal);
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stop?.abort();
      this.#stop = undefined;
    };
  };

  linesOf(step: number): readonly RunLogLine[] {
    return this.#steps.get(step) ?? [];
  }

  stepNumbers(): number[] {
    return [...this.#steps.keys()].sort((a, b) => a - b);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let delay = retryMs.first;
    while (!signal.aborted) {
      const before = this.#lineCount;
      const ended = await this.#read(signal).catch(() => false);
      if (signal.aborted) return;
      if (ended) {
        this.#tell("ended");
        return;
      }
      this.#tell("lost");
      if (this.#lineCount > before) delay = retryMs.first;
      await pause(delay, signal);
      delay = Math.min(delay * 2, retryMs.most);
    }
  }

  /** Whether the log came to its end; false when the stream broke. */
  async #read(signal: AbortSignal): Promise<boolean> {
    const url = `${apiBase}/jobs/${encodeURIComponent(this.#jobId)}/log?follow=1`;
    const response = await fetch(url, { headers: { accept: "text/event-stream" }, signal });
    if (!response.ok || response.body === null) return false;
    const events = new EventStreamReader();
    const decoder = new TextDecoder();
    const body = response.body.getReader();
    for (;;) {
      const { done, value } = await body.read();
      if (done) return false;
      const ended = events.read(decoder.decode(value, { stream: true })).some((event) => this.#take(event));
      if (ended) return true;
      this.#tellSoon();
    }
  }

  /** Whether this was the last event. */
  #take(event: StreamEvent): boolean {
    if (event.name === "end") return true;
    if (event.name !== "line") return false;
    const line: RunLogLine = JSON.parse(event.data);
    const lines = this.#steps.get(line.step) ?? [];
    if (line.line < lines.length || this.#lineCount >= maxLines) return false;
    if (lines.length === 0) this.#steps.set(line.step, lines);
    lines.push(line);
    this.#lineCount++;
    return false;
  }

  #tellSoon(): void {
    this.#timer ??= setTimeout(() => this.#tell("following"), tellMs);
  }

  #tell(phase: LogState["phase"]): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const cut = this.#lineCount >= maxLines;
    this.#state = { version: this.#state.version + 1, phase, lineCount: this.#lineCount, cut };
    for (const listener of this.#listeners) listener();
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
