/** The only door through which time enters. Tests own time with `ClockFake` (`src/lib/testing.ts`). */
import { setTimeout as timeout } from "node:timers/promises";

export interface Clock {
  now(): Temporal.Instant;
  /** Milliseconds that only grow, for measuring. Not related to `now()`. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Calls `act` once after `ms` unless disposed first. Does not keep the process alive. */
  schedule(ms: number, act: () => void): Disposable;
}

/** The longest delay a Node timer takes; longer ones fire at once, so they are cut here. */
const maxTimerMs = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Temporal.Now.instant(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await timeout(Math.min(Math.max(ms, 0), maxTimerMs), undefined, { signal });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  },
  schedule(ms, act) {
    const timer = setTimeout(act, Math.min(Math.max(ms, 0), maxTimerMs));
    timer.unref();
    return { [Symbol.dispose]: () => clearTimeout(timer) };
  },
};

/** A signal that aborts when `signal` does or after `ms`, whichever is first. */
export function withDeadline(signal: AbortSignal, ms: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(Math.min(ms, maxTimerMs))]);
}

/** RFC 3339 with whole seconds, the form of Kubernetes timestamps. */
export function toTimestamp(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: "second" });
}

/** Reads a Kubernetes or RFC 3339 timestamp; throws RangeError when it is not one. */
export function fromTimestamp(text: string): Temporal.Instant {
  return Temporal.Instant.from(text);
}

/** Milliseconds from `earlier` to `later`; negative when they are the other way round. */
export function msBetween(earlier: Temporal.Instant, later: Temporal.Instant): number {
  return later.epochMilliseconds - earlier.epochMilliseconds;
}
