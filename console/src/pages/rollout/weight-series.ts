/** The canary's share as points of a chart. Pure. */
import type { RolloutDetail } from "#api";

export interface WeightSeries {
  /** Seconds since the epoch, ascending. */
  readonly times: number[];
  readonly weights: number[];
}

/** The share held until the next change, so every change is two points in one moment; the last one holds until now. */
export function weightSeries(weights: RolloutDetail["weights"], now: number): WeightSeries {
  const times: number[] = [];
  const values: number[] = [];
  for (const { at, weight } of weights) {
    const seconds = Date.parse(at) / 1000;
    const before = values.at(-1);
    if (before !== undefined && before !== weight) {
      times.push(seconds);
      values.push(before);
    }
    times.push(seconds);
    values.push(weight);
  }
  const last = values.at(-1);
  if (last !== undefined && now / 1000 > (times.at(-1) ?? 0)) {
    times.push(now / 1000);
    values.push(last);
  }
  return { times, weights: values };
}

/** The newest revision's part, and the moment before it as its ground: it came from nothing. */
export function newestRelease(weights: RolloutDetail["weights"]): RolloutDetail["weights"] {
  const newest = weights.at(-1)?.podHash;
  const from = weights.findLastIndex(({ podHash }) => podHash !== newest) + 1;
  const release = weights.slice(from);
  const first = release[0];
  if (first === undefined || first.weight === 0) return release;
  return [{ ...first, weight: 0 }, ...release];
}
