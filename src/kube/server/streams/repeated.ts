import type { Clock } from "#lib";

/** Does something every so often until disposed. */
export class Repeated implements Disposable {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #act: () => void;
  #timer: Disposable | undefined;

  constructor(clock: Clock, everyMs: number, act: () => void) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#act = act;
  }

  start(): void {
    this.#timer = this.#clock.schedule(this.#everyMs, () => {
      this.start();
      this.#act();
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}
