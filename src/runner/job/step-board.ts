/** The list of steps as control is told of it: numbered in the order they run. */
import type { Clock } from "#lib";
import type { StepConclusion, StepState } from "#workflows";

export class StepBoard {
  readonly #steps: StepState[] = [];
  readonly #clock: Clock;
  readonly #changed: () => void;
  #revision = 0;

  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  get revision(): number {
    return this.#revision;
  }

  list(): readonly StepState[] {
    return [...this.#steps];
  }

  /** Adds a queued step at the end and returns its number. */
  add(name: string, id?: string): number {
    const number = this.#steps.length + 1;
    this.#steps.push({ number, name, status: "queued", ...(id === undefined ? {} : { id }) });
    this.#touch();
    return number;
  }

  start(number: number, name?: string): void {
    this.#update(number, (step) => ({
      ...step,
      name: name ?? step.name,
      status: "in_progress",
      startedAt: this.#time(),
    }));
  }

  /** @param logLines how many lines the step's log has got */
  finish(number: number, outcome: StepConclusion, conclusion: StepConclusion, logLines: number): void {
    const completedAt = this.#time();
    this.#update(number, (step) => ({ ...step, status: "completed", outcome, conclusion, completedAt, logLines }));
  }

  #update(number: number, change: (step: StepState) => StepState): void {
    const step = this.#steps[number - 1];
    if (step === undefined) return;
    this.#steps[number - 1] = change(step);
    this.#touch();
  }

  #touch(): void {
    this.#revision++;
    this.#changed();
  }

  #time(): string {
    return this.#clock.now().toString({ smallestUnit: "millisecond" });
  }
}
