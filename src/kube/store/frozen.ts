import type { AnyObject } from "#api";

/** Freezes the value and everything in it, so that it can be shared by every reader without copies. */
export function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) for (const inner of value) freezeDeep(inner);
  else for (const key in value) freezeDeep(value[key]);
  return Object.freeze(value);
}

export function withRevision(object: AnyObject, revision: number): AnyObject {
  return freezeDeep({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
}

/** Reads a body this store wrote. */
export function thaw(body: string): AnyObject {
  return freezeDeep(JSON.parse(body) as AnyObject);
}
