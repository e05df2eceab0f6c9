/** When a failed sync is tried again. */
import { parseSecondsOrDuration } from "#lib";
import type { OperationState, RetryStrategy } from "#api";

const defaults = { durationMs: 5_000, factor: 2, maxMs: 180_000 } as const;

/**
 * Milliseconds before retry number `retryCount` + 1: `min(maxDuration, duration × factor^retryCount)`, so 5, 10, 20 … s
 * by default, as upstream documents and prints (its code waits for the next value of the row).
 */
export function retryDelayMs(retry: RetryStrategy, retryCount: number): number {
  const { duration, factor = defaults.factor, maxDuration } = retry.backoff ?? {};
  const first = parse(duration) ?? defaults.durationMs;
  return Math.min(parse(maxDuration) ?? defaults.maxMs, first * factor ** retryCount);
}

/** Whether a failed attempt leaves another one. Automated syncs have 5 when nobody says otherwise, others none. */
export function mayRetry(state: OperationState): boolean {
  const { retry, initiatedBy } = state.operation;
  const limit = retry?.limit ?? (initiatedBy?.automated === true ? 5 : 0);
  return limit < 0 || (state.retryCount ?? 0) < limit;
}

function parse(text: string | number | undefined): number | undefined {
  return text === undefined || text === "" ? undefined : parseSecondsOrDuration(text);
}
