/** Sends the logs of one job to control, and knows when all of them are acknowledged. */
import { Wake } from "#lib";
import { protocolLimits, type LogLine } from "#workflows";
import type { ControlClient } from "../control/control-client.ts";
import type { HeldJob } from "./journal.ts";
import type { StepLogs } from "./step-log.ts";

interface Position {
  /** Index of the first line not acknowledged, and its byte offset in the file. */
  line: number;
  offset: number;
}

export class LogShipper {
  readonly #held: HeldJob;
  readonly #logs: StepLogs;
  readonly #control: ControlClient;
  readonly #resume: boolean;
  readonly #positions = new Map<number, Position>();
  readonly #wake = new Wake();

  /** @param resume an earlier life of the runner sent some of it: control is asked how much it has */
  constructor(held: HeldJob, logs: StepLogs, control: ControlClient, resume = false) {
    this.#resume = resume;
    this.#held = held;
    this.#logs = logs;
    this.#control = control;
  }

  /** Something was appended. */
  notify(): void {
    this.#wake.notify();
  }

  /** Sends as lines come, until the signal aborts (then it rejects with its reason). */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#wake.wait(signal);
      await this.flush(signal);
    }
  }

  /** Returns when control holds every line that was written before the call. */
  async flush(signal: AbortSignal): Promise<void> {
    for (const step of this.#logs.steps()) {
      if (this.#resume && !this.#positions.has(step)) await this.#ask(step, signal);
      while (this.#position(step).offset < this.#logs.size(step)) {
        if (!(await this.#sendSlice(step, signal))) break;
      }
    }
  }

  async #ask(step: number, signal: AbortSignal): Promise<void> {
    const request = { lease: this.#held.lease, step, firstLine: 0, lines: [] };
    const { acknowledged } = await this.#control.log(this.#held.jobId, request, signal);
    this.#moveTo(step, acknowledged);
  }

  #position(step: number): Position {
    const found = this.#positions.get(step) ?? { line: 0, offset: 0 };
    this.#positions.set(step, found);
    return found;
  }

  /** False when what is left is not a whole line. */
  async #sendSlice(step: number, signal: AbortSignal): Promise<boolean> {
    const position = this.#position(step);
    const slice = this.#logs.read(step, position.offset, protocolLimits.logLines);
    const lines = withinBody(slice.lines);
    if (lines.length === 0) return false;
    const request = { lease: this.#held.lease, step, firstLine: position.line, lines };
    const { acknowledged } = await this.#control.log(this.#held.jobId, request, signal);
    this.#moveTo(step, Math.max(0, acknowledged));
    return true;
  }

  /** Moves to the line control wants next, which after a restart of it may lie before what was sent. */
  #moveTo(step: number, line: number): void {
    const position = this.#position(step);
    if (line < position.line) {
      position.line = 0;
      position.offset = 0;
    }
    while (position.line < line) {
      const slice = this.#logs.read(step, position.offset, line - position.line);
      if (slice.lines.length === 0) return;
      position.line += slice.lines.length;
      position.offset = slice.nextOffset;
    }
  }
}

/** As many lines as surely fit a request: JSON makes at most six bytes of a UTF-16 unit. */
function withinBody(lines: readonly LogLine[]): readonly LogLine[] {
  let bytes = 1024;
  let count = 0;
  for (const line of lines) {
    bytes += 64 + Buffer.byteLength(JSON.stringify(line.text));
    if (bytes > protocolLimits.bodyBytes && count > 0) break;
    count++;
  }
  return lines.slice(0, count);
}
