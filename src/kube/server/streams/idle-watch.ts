import type { Clock } from "#lib";
import { Repeated } from "./repeated.ts";

/** As kubelet's `streamingConnectionIdleTimeout`. */
const idleMs = 4 * 3_600_000;
const lookEveryMs = 60_000;

/** Ends a connection on which nothing was said for hours: somebody forgot it. */
export class IdleWatch implements Disposable {
  readonly #clock: Clock;
  readonly #looks: Repeated;
  #lastMs: number;

  constructor(clock: Clock, onIdle: () => void) {
    this.#clock = clock;
    this.#lastMs = clock.monotonicMs();
    this.#looks = new Repeated(clock, lookEveryMs, () => {
      if (clock.monotonicMs() - this.#lastMs >= idleMs) onIdle();
    });
    this.#looks.start();
  }

  touch(): void {
    this.#lastMs = this.#clock.monotonicMs();
  }

  [Symbol.dispose](): void {
    this.#looks[Symbol.dispose]();
  }
}
