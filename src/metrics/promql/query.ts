/** Instant and range queries, as the HTTP API and the analysis of rollouts ask them. */
import { type Labels, labelsKey } from "../labels.ts";
import type { SeriesStore } from "../store/series-store.ts";
import { badQuery } from "./errors.ts";
import { Evaluation } from "./evaluate.ts";
import { parsePromql } from "./parse.ts";
import { typeOf } from "./types.ts";
import type { Point, RangeSeries, Value } from "./values.ts";

/** @throws PromqlError */
export function queryInstant(store: SeriesStore, query: string, timeMs: number): Value {
  return new Evaluation(store, { startMs: timeMs, endMs: timeMs }).value(parsePromql(query), timeMs);
}

const maxPoints = 11_000;

/** @throws PromqlError; the steps are start, start + step, … up to and including end */
export function queryRange(
  store: SeriesStore,
  query: string,
  range: { readonly startMs: number; readonly endMs: number; readonly stepMs: number },
): RangeSeries[] {
  const { startMs, endMs, stepMs } = range;
  if (!(stepMs > 0)) throw badQuery("The step must be above 0");
  if (endMs < startMs) throw badQuery("The end is before the start");
  if ((endMs - startMs) / stepMs > maxPoints)
    throw badQuery(`More than ${maxPoints} points a series: use a larger step`);
  const expression = parsePromql(query);
  const type = typeOf(expression);
  if (type !== "vector" && type !== "scalar") throw badQuery(`A range query needs a vector or a scalar: found ${type}`);
  const found = new Map<string, { labels: Labels; points: Point[] }>();
  const evaluation = new Evaluation(store, range);
  for (let timeMs = startMs; timeMs <= endMs; timeMs += stepMs) {
    const value = evaluation.value(expression, timeMs);
    const samples =
      value.type === "vector" ? value.samples : value.type === "scalar" ? [{ labels: {}, value: value.value }] : [];
    for (const sample of samples) {
      const key = labelsKey(sample.labels);
      const series = found.get(key) ?? { labels: sample.labels, points: [] };
      series.points.push({ timeMs, value: sample.value });
      found.set(key, series);
    }
  }
  return [...found.values()];
}
