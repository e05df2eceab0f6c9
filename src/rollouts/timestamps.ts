/**
 * Times in the statuses of rollouts and runs have milliseconds, unlike those of Kubernetes: cut to the second, a pause
 * or an interval of 2 s that began at 0.9 s would end after 1.1 s. Every RFC 3339 reader takes both.
 */
export function preciseTime(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: "millisecond" });
}

/** The time `ms` after a stored timestamp. */
export function after(timestamp: string, ms: number): Temporal.Instant {
  return Temporal.Instant.fromEpochMilliseconds(Temporal.Instant.from(timestamp).epochMilliseconds + Math.round(ms));
}

export function isPast(instant: Temporal.Instant, now: Temporal.Instant): boolean {
  return Temporal.Instant.compare(now, instant) > 0;
}
