/**
 * Three-way merge: what the live object becomes when the target is applied. Fields in the target win; fields that the
 * last applied target had and this one has not go; everything else (defaults, other controllers' fields) stays.
 */
import { deepEqual, isObject } from "#lib";
import type { MergeSchema } from "#render";

/** `last` is undefined when nobody recorded what was applied before: then nothing is removed. */
export function threeWayMerge(last: unknown, target: unknown, live: unknown, schema: MergeSchema | undefined): unknown {
  if (isObject(target) && isObject(live)) return mergeMaps(isObject(last) ? last : {}, target, live, schema);
  if (Array.isArray(target) && Array.isArray(live) && schema?.keys !== undefined) {
    const before: readonly unknown[] = Array.isArray(last) ? last : [];
    return schema.keys.length === 0
      ? mergeSets(before, target, live)
      : mergeKeyed(before, target, live, schema.keys, schema.item);
  }
  return withoutNulls(target);
}

function mergeMaps(
  last: Record<string, unknown>,
  target: Record<string, unknown>,
  live: Record<string, unknown>,
  schema: MergeSchema | undefined,
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(live)) {
    const removed =
      target[key] === null || (target[key] === undefined && last[key] !== undefined && last[key] !== null);
    if (!removed && target[key] === undefined) result[key] = value;
  }
  for (const [key, value] of Object.entries(target)) {
    if (value === null || value === undefined) continue;
    result[key] = threeWayMerge(last[key], value, live[key], schema?.fields?.[key]);
  }
  return result;
}

function mergeSets(last: readonly unknown[], target: readonly unknown[], live: readonly unknown[]): unknown[] {
  const kept = live.filter((item) => target.includes(item) || !last.includes(item));
  return [...kept, ...target.filter((item) => !live.includes(item))];
}

function mergeKeyed(
  last: readonly unknown[],
  target: readonly unknown[],
  live: readonly unknown[],
  keys: readonly string[],
  item: MergeSchema | undefined,
): unknown[] {
  const wanted = target.map((value) => {
    const found = live.find((other) => sameItem(other, value, keys));
    const before = last.find((other) => sameItem(other, value, keys));
    return { value: threeWayMerge(before, value, found, item), found };
  });
  const extra = live.filter(
    (value) =>
      !target.some((other) => sameItem(other, value, keys)) && !last.some((other) => sameItem(other, value, keys)),
  );
  // Items that others put between ours stay in their places as long as ours stand in the wanted order.
  const places = wanted.map(({ found }) => live.indexOf(found));
  const inPlace = places.every((place, index) => place >= 0 && (index === 0 || place > (places[index - 1] ?? -1)));
  if (!inPlace) return [...wanted.map(({ value }) => value), ...extra];
  return live.flatMap((value) => {
    const ours = wanted.find(({ found }) => found === value);
    if (ours !== undefined) return [ours.value];
    return extra.includes(value) ? [value] : [];
  });
}

function sameItem(a: unknown, b: unknown, keys: readonly string[]): boolean {
  if (!isObject(a) || !isObject(b)) return deepEqual(a, b);
  const shared = keys.filter((key) => a[key] !== undefined && b[key] !== undefined);
  return shared.length > 0 && shared.every((key) => a[key] === b[key]);
}

/** API servers drop nulls; so does a target, at every depth of what is new. */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null && item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNulls(item)]));
}
