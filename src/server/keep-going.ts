import { backoffDelayMs, type Backoff, type Clock, type Log } from "#lib";

export interface KeepGoingOptions {
  readonly clock: Clock;
  readonly log: Log;
}

/** Quick for a reader that fell behind, slow for a full disk. */
const restart: Backoff = { initialMs: 50, factor: 4, maxMs: 30_000, jitter: 0 };
/** A loop that ran this long was well: its next failure counts as the first. */
const wellMs = 60_000;

/**
 * Begins `work` again whenever it fails, for loops that others count on until the process ends: one busy database or
 * one overrun channel must not leave pushes unanswered until somebody restarts the process. `work` takes up from durable
 * state, so that beginning again loses nothing. Resolves when `work` does or the signal aborts.
 */
export async function keepGoing(
  name: string,
  work: (signal: AbortSignal) => Promise<void>,
  { clock, log }: KeepGoingOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    const startedMs = clock.monotonicMs();
    try {
      await work(signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (clock.monotonicMs() - startedMs > wellMs) failures = 0;
      const delayMs = backoffDelayMs(restart, failures, 0);
      log.error("A background loop failed, beginning it again", { name, delayMs, error });
      await clock.sleep(delayMs, signal).catch(() => {});
    }
  }
}
