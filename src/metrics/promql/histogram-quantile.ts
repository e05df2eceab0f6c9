/** `histogram_quantile` over classic buckets (`le`). */
import { type Labels, labelsKey, withoutLabels } from "../labels.ts";
import { numberOf } from "./literals.ts";
import type { VectorSample } from "./values.ts";

interface Bucket {
  readonly bound: number;
  count: number;
}

const bucketLabels: ReadonlySet<string> = new Set(["le", "__name__"]);

export function histogramQuantile(phi: number, samples: readonly VectorSample[]): VectorSample[] {
  const groups = new Map<string, { labels: Labels; buckets: Bucket[] }>();
  for (const { labels, value } of samples) {
    const bound = numberOf(labels["le"] ?? "");
    if (bound === undefined) continue;
    const rest = withoutLabels(labels, bucketLabels);
    const key = labelsKey(rest);
    const group = groups.get(key) ?? { labels: rest, buckets: [] };
    group.buckets.push({ bound, count: value });
    groups.set(key, group);
  }
  return [...groups.values()].map(({ labels, buckets }) => ({ labels, value: quantileOf(phi, buckets) }));
}

/**
 * Linear within the bucket where the rank falls. Buckets 1: 10, 2: 30, +Inf: 40 and φ 0.5: rank 20 falls into (1, 2],
 * half way between 10 and 30, so 1.5.
 */
function quantileOf(phi: number, unsorted: readonly Bucket[]): number {
  if (Number.isNaN(phi)) return Number.NaN;
  if (phi < 0) return Number.NEGATIVE_INFINITY;
  if (phi > 1) return Number.POSITIVE_INFINITY;
  const buckets = monotonic(unsorted);
  const total = buckets.at(-1);
  if (buckets.length < 2 || total?.bound !== Number.POSITIVE_INFINITY || total.count === 0) return Number.NaN;
  const rank = phi * total.count;
  const index = buckets.findIndex((bucket) => bucket.count >= rank);
  const bucket = buckets[index];
  if (bucket === undefined) return Number.NaN;
  if (index === buckets.length - 1) return buckets[index - 1]?.bound ?? Number.NaN;
  if (index === 0 && bucket.bound <= 0) return bucket.bound;
  const start = index === 0 ? 0 : (buckets[index - 1]?.bound ?? 0);
  const before = index === 0 ? 0 : (buckets[index - 1]?.count ?? 0);
  const inside = bucket.count - before;
  return inside === 0 ? start : start + (bucket.bound - start) * ((rank - before) / inside);
}

/** Sorted, same bounds added up, and repaired where scrapes of different moments made a count fall. */
function monotonic(buckets: readonly Bucket[]): Bucket[] {
  const merged: Bucket[] = [];
  for (const { bound, count } of [...buckets].sort((a, b) => a.bound - b.bound)) {
    const last = merged.at(-1);
    if (last?.bound === bound) last.count += count;
    else merged.push({ bound, count });
  }
  let highest = Number.NEGATIVE_INFINITY;
  for (const bucket of merged) {
    bucket.count = Math.max(bucket.count, highest);
    highest = bucket.count;
  }
  return merged;
}
