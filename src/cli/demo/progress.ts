/** Shows a release as it moves: one line that is written over on a terminal, a line a change elsewhere. */
import type { DeliveryView, StageState } from "#api";
import type { Clock } from "#lib";
import { paint } from "../output.ts";

const marks: Readonly<Record<StageState, string>> = {
  waiting: "·",
  running: "◌",
  paused: "॥",
  done: "✔",
  failed: "✖",
  skipped: "–",
};

export class Progress {
  readonly #clock: Clock;
  readonly #stream: NodeJS.WriteStream;
  readonly #quiet: boolean;
  #startedMs = 0;
  #label = "";
  #last = "";

  constructor(clock: Clock, quiet: boolean) {
    this.#clock = clock;
    this.#stream = process.stderr;
    this.#quiet = quiet;
  }

  say(text: string): void {
    if (!this.#quiet) this.#stream.write(`${text}\n`);
  }

  begin(label: string): void {
    this.#label = label;
    this.#startedMs = this.#clock.monotonicMs();
    this.#last = "";
  }

  show(delivery: DeliveryView): void {
    const stages = delivery.stages.map(({ name, state }) => `${this.#mark(state)} ${name}`).join("  ");
    const current = delivery.stages.find(
      ({ state }) => state === "running" || state === "paused" || state === "failed",
    );
    const line = `${this.#label}  ${stages}  ${current?.detail ?? ""}`;
    if (line === this.#last || this.#quiet) return;
    this.#last = line;
    const seconds = ((this.#clock.monotonicMs() - this.#startedMs) / 1000).toFixed(1).padStart(5);
    if (this.#stream.isTTY) this.#stream.write(`\r\u001b[K${seconds} s  ${line}`.slice(0, this.#stream.columns + 40));
    else this.#stream.write(`${seconds} s  ${line}\n`);
  }

  end(): void {
    if (!this.#quiet && this.#stream.isTTY) this.#stream.write("\n");
  }

  #mark(state: StageState): string {
    const colour = state === "done" ? "green" : state === "failed" ? "red" : state === "running" ? "yellow" : "dim";
    return paint(marks[state], colour, this.#stream);
  }
}
