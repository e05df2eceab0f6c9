/** Functions over the points of a range. Pure arithmetic on one series. */
import type { Point } from "./values.ts";

interface Range {
  readonly startMs: number;
  readonly endMs: number;
}

export type RateKind = "rate" | "increase" | "delta";

/**
 * The change over the range, extrapolated to its bounds as Prometheus does: by up to the distance to a bound when that
 * is under 1.1 average intervals, else by half an interval, and never below zero for a counter.
 *
 * Five points 10 s apart, 0 10 20 30 40, over 50 s: raw 40 over 40 s; both bounds are at most 11 s away from the
 * outer points, so `increase` is 40 * 50/40 = 50 and `rate` is 1/s.
 */
export function extrapolated(points: readonly Point[], range: Range, kind: RateKind): number | undefined {
  const first = points[0];
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 2) return undefined;
  const counter = kind !== "delta";
  const change = last.value - first.value + (counter ? resetCorrection(points) : 0);
  const sampledSeconds = (last.timeMs - first.timeMs) / 1000;
  const average = sampledSeconds / (points.length - 1);
  let toStart = (first.timeMs - range.startMs) / 1000;
  let toEnd = (range.endMs - last.timeMs) / 1000;
  const threshold = average * 1.1;
  if (toStart >= threshold) toStart = average / 2;
  if (counter && change > 0 && first.value >= 0) {
    toStart = Math.min(toStart, sampledSeconds * (first.value / change));
  }
  if (toEnd >= threshold) toEnd = average / 2;
  const factor = (sampledSeconds + toStart + toEnd) / sampledSeconds;
  const seconds = (range.endMs - range.startMs) / 1000;
  return (change * factor) / (kind === "rate" ? seconds : 1);
}

/** What a counter had counted before each of its restarts. */
function resetCorrection(points: readonly Point[]): number {
  let correction = 0;
  for (let i = 1; i < points.length; i++) {
    const before = points[i - 1]?.value ?? 0;
    if ((points[i]?.value ?? 0) < before) correction += before;
  }
  return correction;
}

/** From the last two points only. */
export function instantChange(points: readonly Point[], perSecond: boolean): number | undefined {
  const last = points.at(-1);
  const before = points.at(-2);
  if (last === undefined || before === undefined) return undefined;
  const reset = perSecond && last.value < before.value;
  const change = reset ? last.value : last.value - before.value;
  return perSecond ? change / ((last.timeMs - before.timeMs) / 1000) : change;
}

/** Least-squares slope (per second) and the value at `originMs`. */
export function linearFit(points: readonly Point[], originMs: number): { slope: number; value: number } | undefined {
  if (points.length < 2) return undefined;
  const n = points.length;
  const xs = points.map((point) => (point.timeMs - originMs) / 1000);
  const meanX = xs.reduce((sum, x) => sum + x, 0) / n;
  const meanY = points.reduce((sum, point) => sum + point.value, 0) / n;
  let covariance = 0;
  let variance = 0;
  points.forEach((point, i) => {
    const dx = (xs[i] ?? 0) - meanX;
    covariance += dx * (point.value - meanY);
    variance += dx * dx;
  });
  const slope = covariance / variance;
  return { slope, value: meanY - slope * meanX };
}

/** The φ-quantile with linear interpolation between neighbours. */
export function quantile(phi: number, values: readonly number[]): number {
  if (values.length === 0 || Number.isNaN(phi)) return Number.NaN;
  if (phi < 0) return Number.NEGATIVE_INFINITY;
  if (phi > 1) return Number.POSITIVE_INFINITY;
  const sorted = [...values].sort((a, b) => a - b);
  const rank = phi * (sorted.length - 1);
  const low = Math.floor(rank);
  const weight = rank - low;
  return (sorted[low] ?? 0) * (1 - weight) + (sorted[Math.min(low + 1, sorted.length - 1)] ?? 0) * weight;
}

/** Neumaier's sum: the rounding errors of adding small to large are kept and added at the end. */
export function exactSum(values: readonly number[]): number {
  let sum = 0;
  let correction = 0;
  for (const value of values) {
    const next = sum + value;
    if (!Number.isFinite(next)) correction = 0;
    else if (Math.abs(sum) >= Math.abs(value)) correction += sum - next + value;
    else correction += value - next + sum;
    sum = next;
  }
  return sum + correction;
}

export function variance(values: readonly number[]): number {
  const mean = exactSum(values) / values.length;
  return exactSum(values.map((value) => (value - mean) ** 2)) / values.length;
}
