/** Exponential back-off as data and arithmetic; the waiting is the caller's. */
export interface Backoff {
  readonly initialMs: number;
  readonly factor: number;
  readonly maxMs: number;
  /** Share of the delay that chance takes away, 0..1: 0.2 gives 80..100 %. */
  readonly jitter: number;
}

/**
 * The delay before try number `attempt` (0 = the first retry). `random` is in [0, 1).
 *
 * With `{ initialMs: 100, factor: 2, maxMs: 1000, jitter: 0 }`: 100, 200, 400, 800, 1000, 1000, …
 */
export function backoffDelayMs(backoff: Backoff, attempt: number, random: number): number {
  const delay = Math.min(backoff.maxMs, backoff.initialMs * backoff.factor ** attempt);
  return delay * (1 - backoff.jitter * random);
}
