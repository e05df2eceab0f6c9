/** Sends the logs of one job to control, and knows when all of them are acknowledged. */
import { KeyedLock } from "#lib";
import { protocolLimits } from "#workflows";
import type { ControlClient, ReportedLog } from "../control/control-client.ts";
import type { HeldJob, JobResult } from "./journal.ts";
import type { LogSlice, StepLogs } from "./step-log.ts";

interface Position {
  /** Index of the first line not acknowledged, and its byte offset in the file. */
  line: number;
  offset: number;
}

interface Sent {
  readonly step: number;
  readonly firstLine: number;
  readonly slice: LogSlice;
}

/** Of the lines of one report: far enough below the limit of a body for all else in it. */
const reportBytes = 2 * 1024 * 1024;

/** Of the lines that go with a result, and of the result they go with; what is larger goes before it, or without them. */
const lastBytes = 256 * 1024;

function reported({ step, firstLine, slice }: Sent): ReportedLog {
  return { step, firstLine, lines: slice.json };
}

export class LogShipper {
  readonly #held: HeldJob;
  readonly #logs: StepLogs;
  readonly #control: ControlClient;
  readonly #resume: boolean;
  readonly #positions = new Map<number, Position>();
  readonly #lock = new KeyedLock();

  /** @param resume an earlier life of the runner sent some of it: control is asked how much it has */
  constructor(held: HeldJob, logs: StepLogs, control: ControlClient, resume = false) {
    this.#resume = resume;
    this.#held = held;
    this.#logs = logs;
    this.#control = control;
  }

  /**
   * Sends what is new, with the steps if they are given. False when there was nothing to send.
   *
   * @param steps JSON to go with it: members of `ReportRequest`
   */
  async send(steps: string | undefined, signal: AbortSignal): Promise<boolean> {
    return await this.#lock.run("", () => this.#sendAlone(steps, signal));
  }

  async #sendAlone(steps: string | undefined, signal: AbortSignal): Promise<boolean> {
    const sent = await this.#collect(reportBytes, signal);
    if (sent.length === 0 && steps === undefined) return false;
    const { jobId, lease } = this.#held;
    const { acknowledged } = await this.#control.report(jobId, lease, steps, sent.map(reported), signal);
    for (const [index, one] of sent.entries()) this.#moveTo(one, acknowledged[index] ?? one.firstLine);
    return true;
  }

  /**
   * Returns when control holds every line and the result. What is left of the log goes with the result: a request less for
   * each job.
   */
  async complete(result: JobResult, signal: AbortSignal): Promise<void> {
    const { jobId, lease } = this.#held;
    const members = JSON.stringify(result).slice(1, -1);
    const room = members.length > lastBytes ? 0 : lastBytes;
    for (;;) {
      if (this.left > room) await this.flush(signal);
      const sent = await this.#collect(lastBytes, signal);
      const { acknowledged } = await this.#control.complete(jobId, lease, members, sent.map(reported), signal);
      // From a control of an earlier version, which completes without looking at lines.
      if (acknowledged.length < sent.length) return await this.flush(signal);
      for (const [index, one] of sent.entries()) this.#moveTo(one, acknowledged[index] ?? one.firstLine);
      if (sent.every(({ firstLine, slice }, index) => (acknowledged[index] ?? 0) >= firstLine + slice.lines)) return;
    }
  }

  /** Bytes that control has not acknowledged. */
  get left(): number {
    const sent = (step: number): number => this.#positions.get(step)?.offset ?? 0;
    return this.#logs.steps().reduce((sum, step) => sum + this.#logs.size(step) - sent(step), 0);
  }

  /** Returns when control holds every line that was written before the call. */
  async flush(signal: AbortSignal): Promise<void> {
    while (await this.send(undefined, signal));
  }

  async #collect(maxBytes: number, signal: AbortSignal): Promise<readonly Sent[]> {
    const sent: Sent[] = [];
    let bytes = maxBytes;
    let lines: number = protocolLimits.reportLines;
    for (const step of this.#logs.steps()) {
      if (this.#resume && !this.#positions.has(step)) await this.#ask(step, signal);
      const { line, offset } = this.#position(step);
      if (offset >= this.#logs.size(step)) continue;
      const slice = this.#logs.read(step, offset, lines, bytes);
      // What is left may be no whole line.
      if (slice.lines === 0) continue;
      sent.push({ step, firstLine: line, slice });
      bytes -= slice.json.length;
      lines -= slice.lines;
      if (bytes <= 0 || lines <= 0) break;
    }
    return sent;
  }

  async #ask(step: number, signal: AbortSignal): Promise<void> {
    const request = { lease: this.#held.lease, step, firstLine: 0, lines: [] };
    const { acknowledged } = await this.#control.log(this.#held.jobId, request, signal);
    this.#find(step, Math.max(0, acknowledged));
  }

  #position(step: number): Position {
    const found = this.#positions.get(step) ?? { line: 0, offset: 0 };
    this.#positions.set(step, found);
    return found;
  }

  /** To the line control wants next, which after a restart of it may lie before what was sent. */
  #moveTo({ step, firstLine, slice }: Sent, acknowledged: number): void {
    if (acknowledged === firstLine + slice.lines) {
      Object.assign(this.#position(step), { line: acknowledged, offset: slice.nextOffset });
    } else this.#find(step, Math.max(0, acknowledged));
  }

  /** From the start of the file: control wants something else than it was sent. */
  #find(step: number, line: number): void {
    const position = this.#position(step);
    Object.assign(position, { line: 0, offset: 0 });
    while (position.line < line) {
      const slice = this.#logs.read(step, position.offset, line - position.line);
      if (slice.lines === 0) return;
      position.line += slice.lines;
      position.offset = slice.nextOffset;
    }
  }
}
