/** Where a step's lines go: stamped, masked, cut, on disk, and on their way to control. */
import type { Clock } from "#lib";
import { protocolLimits } from "#workflows";
import type { Masker } from "../masking/masker.ts";
import type { StepLogs } from "./step-log.ts";

export interface LineSink {
  /** Texts with line ends become several lines. */
  write(texts: readonly string[]): void;
}

export class JobLog {
  readonly #logs: StepLogs;
  readonly #masker: Masker;
  readonly #clock: Clock;
  readonly #written: () => void;
  readonly #counts = new Map<number, number>();

  /** @param written called after each write */
  constructor(logs: StepLogs, written: () => void, masker: Masker, clock: Clock) {
    this.#logs = logs;
    this.#masker = masker;
    this.#clock = clock;
    this.#written = written;
  }

  step(number: number): LineSink {
    return { write: (texts) => this.#write(number, texts) };
  }

  /** Lines written so far. */
  lineCount(step: number): number {
    return this.#counts.get(step) ?? 0;
  }

  #write(step: number, texts: readonly string[]): void {
    if (texts.length === 0) return;
    const time = this.#clock.now().toString({ smallestUnit: "millisecond" });
    const lines = texts
      .flatMap((text) => text.split(/\r?\n/))
      .map((line) => this.#masker.maskCut(line, protocolLimits.logLineLength));
    this.#logs.append(step, time, lines);
    this.#counts.set(step, this.lineCount(step) + lines.length);
    this.#written();
  }
}
