/**
 * Strategic merge patch on plain values, as Kustomize applies it: maps merge, null removes, keyed lists merge item by
 * item with the patch's items first, other lists are replaced; `$patch: replace | delete | merge` are directives.
 */
import { isObject } from "#lib";
import { KustomizeError } from "./errors.ts";
import type { MergeSchema } from "./merge-keys.ts";

const directiveKey = "$patch";
type Directive = "merge" | "replace" | "delete";

/** The merged value, or undefined when the patch deletes it. Neither argument is changed. */
export function strategicMerge(target: unknown, patch: unknown, schema: MergeSchema | undefined): unknown {
  if (patch === null) return undefined;
  if (Array.isArray(patch)) return mergeLists(target, patch, schema);
  if (isObject(patch)) return mergeMaps(target, patch, schema);
  if (isObject(target) || Array.isArray(target)) throw kindMismatch(target, patch);
  return patch;
}

function mergeMaps(target: unknown, patch: Record<string, unknown>, schema: MergeSchema | undefined): unknown {
  if (target !== undefined && target !== null && !isObject(target)) throw kindMismatch(target, patch);
  const directive = directiveOf(patch);
  if (directive === "delete") return undefined;
  const { [directiveKey]: _directive, ...changes } = patch;
  const base = directive === "merge" && isObject(target) ? target : {};
  const result: Record<string, unknown> = { ...base };
  for (const [key, change] of Object.entries(changes)) {
    const merged = strategicMerge(base[key], change, schema?.fields?.[key]);
    if (merged === undefined) delete result[key];
    else result[key] = merged;
  }
  return result;
}

function mergeLists(target: unknown, patch: readonly unknown[], schema: MergeSchema | undefined): unknown {
  if (target !== undefined && target !== null && !Array.isArray(target)) throw kindMismatch(target, patch);
  const current: readonly unknown[] = Array.isArray(target) ? target : [];
  if (schema?.keys === undefined) return patch;
  const whole = listDirective(patch);
  if (whole === "delete") return undefined;
  const changes = patch.filter((item) => !isListDirective(item));
  if (whole === "replace") return changes.map((item) => strategicMerge(undefined, item, schema.item));
  return schema.keys.length === 0
    ? [...new Set([...changes, ...current])]
    : mergeKeyed(current, changes, schema.keys, schema.item);
}

function mergeKeyed(
  current: readonly unknown[],
  changes: readonly unknown[],
  keys: readonly string[],
  item: MergeSchema | undefined,
): unknown[] {
  const rest = [...current];
  const merged: unknown[] = [];
  for (const change of changes) {
    const index = rest.findIndex((candidate) => sameItem(candidate, change, keys));
    const [found] = index < 0 ? [undefined] : rest.splice(index, 1);
    const value = strategicMerge(found, change, item);
    if (value !== undefined) merged.push(value);
  }
  return [...merged, ...rest];
}

/** Equal in every key both have, and in at least one: a port without `protocol` is the one with it. */
function sameItem(a: unknown, b: unknown, keys: readonly string[]): boolean {
  if (!isObject(a) || !isObject(b)) return false;
  const shared = keys.filter((key) => a[key] !== undefined && b[key] !== undefined);
  return shared.length > 0 && shared.every((key) => a[key] === b[key]);
}

function directiveOf(patch: Record<string, unknown>): Directive {
  const value = patch[directiveKey];
  if (value === undefined || value === "merge") return "merge";
  if (value === "replace" || value === "delete") return value;
  throw new KustomizeError(`Unknown directive "$patch: ${JSON.stringify(value)}": use merge, replace or delete`);
}

/** An item that is nothing but a directive speaks for the whole list. */
function isListDirective(item: unknown): boolean {
  return isObject(item) && directiveKey in item && Object.keys(item).length === 1;
}

function listDirective(patch: readonly unknown[]): Directive {
  const item = patch.find(isListDirective);
  return isObject(item) ? directiveOf(item) : "merge";
}

function kindMismatch(target: unknown, patch: unknown): KustomizeError {
  return new KustomizeError(`Cannot merge ${shapeOf(patch)} into ${shapeOf(target)}`);
}

function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return isObject(value) ? "a mapping" : "a plain value";
}
