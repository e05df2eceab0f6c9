/** How many pods a rolling update may have too many or too few: pure. */
import type { Deployment, IntOrString } from "#api";

export interface Bounds {
  readonly replicas: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/**
 * Percentages of the surge round up, of the unavailable down, so that together they always allow a step; where they
 * would not, one pod may be unavailable.
 *
 * 25 %/25 % of 4: surge 1, unavailable 1. Of 1: surge 1, unavailable 0. Of 10: surge 3, unavailable 2. `0`/`0%` of 3: 0, 1.
 */
export function boundsOf({ spec }: Deployment): Bounds {
  const replicas = spec.replicas ?? 1;
  if (spec.strategy?.type === "Recreate") return { replicas, maxSurge: 0, maxUnavailable: 0 };
  const { maxSurge = "25%", maxUnavailable = "25%" } = spec.strategy?.rollingUpdate ?? {};
  const surge = scaledShare(maxSurge, replicas, Math.ceil);
  const unavailable = scaledShare(maxUnavailable, replicas, Math.floor);
  const least = surge === 0 && unavailable === 0 ? 1 : unavailable;
  return { replicas, maxSurge: surge, maxUnavailable: Math.min(least, replicas) };
}

/** A number as it is, a percentage of `replicas` rounded. */
export function scaledShare(value: IntOrString, replicas: number, round: (value: number) => number): number {
  if (typeof value === "number") return value;
  const percent = Number(/^(\d+)%$/.exec(value)?.[1] ?? 0);
  return round((percent * replicas) / 100);
}
