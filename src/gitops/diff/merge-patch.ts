import { deepEqual, isObject } from "#lib";

/** The RFC 7396 patch that turns `from` into `to`; undefined when they are equal. */
export function mergePatchBetween(from: unknown, to: unknown): unknown {
  if (deepEqual(from, to)) return undefined;
  if (!isObject(from) || !isObject(to)) return to;
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(from)) if (to[key] === undefined) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    if (value === undefined) continue;
    const change = mergePatchBetween(from[key], value);
    if (change !== undefined) patch[key] = change;
  }
  return patch;
}
