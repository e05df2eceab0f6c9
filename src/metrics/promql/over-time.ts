/** `f(range)` for every f of that shape: one number, or nothing, for each series. */
import { exactSum, extrapolated, instantChange, linearFit, quantile, variance } from "./rate.ts";
import type { Point } from "./values.ts";

interface Range {
  readonly startMs: number;
  readonly endMs: number;
}

/** @param parameter of quantile_over_time and predict_linear */
export function overTime(name: string, points: readonly Point[], range: Range, parameter: number): number | undefined {
  if (points.length === 0) return undefined;
  const values = points.map((point) => point.value);
  switch (name) {
    case "rate":
    case "increase":
    case "delta":
      return extrapolated(points, range, name);
    case "irate":
      return instantChange(points, true);
    case "idelta":
      return instantChange(points, false);
    case "deriv":
      return linearFit(points, points[0]?.timeMs ?? 0)?.slope;
    case "predict_linear": {
      const fit = linearFit(points, range.endMs);
      return fit === undefined ? undefined : fit.value + fit.slope * parameter;
    }
    case "changes":
      return count(values, (before, value) => before !== value && !(Number.isNaN(before) && Number.isNaN(value)));
    case "resets":
      return count(values, (before, value) => value < before);
    case "avg_over_time":
      return exactSum(values) / values.length;
    case "sum_over_time":
      return exactSum(values);
    case "min_over_time":
      return extreme(values, (a, b) => a < b);
    case "max_over_time":
      return extreme(values, (a, b) => a > b);
    case "count_over_time":
      return values.length;
    case "last_over_time":
      return values.at(-1);
    case "present_over_time":
      return 1;
    case "stddev_over_time":
      return Math.sqrt(variance(values));
    case "stdvar_over_time":
      return variance(values);
    case "quantile_over_time":
      return quantile(parameter, values);
    default:
      return undefined;
  }
}

function count(values: readonly number[], test: (before: number, value: number) => boolean): number {
  let total = 0;
  for (let i = 1; i < values.length; i++) if (test(values[i - 1] ?? 0, values[i] ?? 0)) total += 1;
  return total;
}

/** NaN loses against every number. */
export function extreme(values: readonly number[], wins: (a: number, b: number) => boolean): number {
  return values.reduce((best, value) => (Number.isNaN(best) || wins(value, best) ? value : best));
}
