/** Doubles for time and chance, for tests only (the front door does not export them to the rooms' sources). */
import type { Clock } from "./clock.ts";
import type { Ids } from "./ids.ts";

interface Sleeper {
  readonly atMs: number;
  readonly resume: () => void;
}

/** Time that moves only by `advance`. */
export class ClockFake implements Clock {
  #nowMs: number;
  #sleepers: Sleeper[] = [];

  constructor(start = "2026-01-01T00:00:00Z") {
    this.#nowMs = Temporal.Instant.from(start).epochMilliseconds;
  }

  now(): Temporal.Instant {
    return Temporal.Instant.fromEpochMilliseconds(this.#nowMs);
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  get sleepers(): number {
    return this.#sleepers.length;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const timer = this.schedule(ms, () => {
        signal.removeEventListener("abort", abort);
        resolve();
      });
      const abort = (): void => {
        timer[Symbol.dispose]();
        reject(signal.reason as Error);
      };
      signal.addEventListener("abort", abort, { once: true });
    });
  }

  schedule(ms: number, act: () => void): Disposable {
    const sleeper: Sleeper = { atMs: this.#nowMs + Math.max(ms, 0), resume: act };
    this.#sleepers.push(sleeper);
    return {
      [Symbol.dispose]: () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
      },
    };
  }

  /** Moves time on, waking sleepers in order; lets promise reactions run after each. */
  async advance(ms: number): Promise<void> {
    const target = this.#nowMs + ms;
    for (;;) {
      const next = this.#sleepers.filter((s) => s.atMs <= target).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      next.resume();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#nowMs = target;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Ids that count: `id-1`, `id-2`, … */
export function idsFake(): Ids {
  let count = 0;
  return {
    uuid: () => `00000000-0000-4000-8000-${String(++count).padStart(12, "0")}`,
    secret: () => `secret-${++count}`,
    suffix: (length = 5) => String(++count).padStart(length, "b"),
    random: () => 0.5,
  };
}
