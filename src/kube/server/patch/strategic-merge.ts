/**
 * Strategic merge patch: a merge patch in which lists whose schema says so are merged item by item. Directives:
 * `$patch: replace|delete|merge`, `$retainKeys`, `$setElementOrder/<field>`, `$deleteFromPrimitiveList/<field>`.
 */
import type { AnyObject } from "#api";
import { deepEqual, isObject } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import { badRequest } from "../refusals.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import type { Schema } from "../schema/schema.ts";
import { fieldSchema, resolveSchema } from "../schema/upstream.ts";
import { orderElements } from "./element-order.ts";

type Fields = Record<string, unknown>;

const orderPrefix = "$setElementOrder/";
const removePrefix = "$deleteFromPrimitiveList/";

/** Returns a new value. Throws UnsupportedMediaType for custom kinds, as upstream does. */
export function applyStrategicPatch(kind: ServedKind, object: AnyObject, patch: unknown): unknown {
  if (kind.custom) {
    throw new KubeError(
      "UnsupportedMediaType",
      "the body of the request was in an unknown format - accepted media types include: " +
        "application/json-patch+json, application/merge-patch+json",
    );
  }
  if (!isObject(patch)) throw badRequest("a strategic merge patch must be an object");
  return mergeFields(object, patch, kind.schema);
}

function mergeFields(original: Fields, patch: Fields, schema: Schema | undefined): Fields {
  const directive = patch["$patch"];
  if (directive === "replace") return withoutDirectives(patch);
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge") {
    throw badRequest(`unknown directive ${JSON.stringify(directive)} at "$patch" of a strategic merge patch`);
  }
  const result: Fields = retained(original, patch["$retainKeys"]);
  for (const [key, value] of Object.entries(patch)) {
    if (key === "$patch" || key === "$retainKeys" || key.startsWith(orderPrefix)) continue;
    if (key.startsWith(removePrefix)) {
      removePrimitives(result, key.slice(removePrefix.length), value);
      continue;
    }
    if (value === null) delete result[key];
    else result[key] = mergeValue(result[key], value, fieldSchema(schema, key));
  }
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(orderPrefix)) continue;
    const field = key.slice(orderPrefix.length);
    const { mergeKey } = strategyOf(fieldSchema(schema, field));
    const live = listAt(original, field);
    if (!Array.isArray(order)) throw badRequest(`"${key}" of a strategic merge patch must be a list`);
    if (Array.isArray(result[field])) {
      result[field] = orderElements({ merged: result[field], live, order, identity: identityOf(mergeKey) });
    }
  }
  return result;
}

function mergeValue(original: unknown, value: unknown, schema: Schema | undefined): unknown {
  if (Array.isArray(value)) {
    const { merges, mergeKey } = strategyOf(schema);
    if (!merges) return value.map(stripped);
    const live = Array.isArray(original) ? original : [];
    return mergeKey === undefined ? union(live, value) : mergeItems(live, value, mergeKey, schema);
  }
  if (!isObject(value)) return value;
  return mergeFields(isObject(original) ? original : {}, value, schema);
}

function mergeItems(
  original: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
  schema: Schema | undefined,
): unknown[] {
  const itemSchema = resolveSchema(schema?.items);
  const items = patch.map((item) => requireItem(item, mergeKey));
  if (items.some((item) => item["$patch"] === "replace")) {
    return items.filter((item) => item["$patch"] !== "replace" || mergeKey in item).map(withoutDirectives);
  }
  let result = [...original];
  for (const item of items) {
    if (item["$patch"] === "delete") {
      result = result.filter((other) => !isObject(other) || !deepEqual(other[mergeKey], item[mergeKey]));
      continue;
    }
    const index = matchingIndex(result, item, mergeKey, schema);
    const before = result[index];
    const merged = mergeFields(isObject(before) ? before : {}, item, itemSchema);
    if (index < 0) result.push(merged);
    else result[index] = merged;
  }
  const order = items.filter((item) => item["$patch"] === undefined);
  return orderElements({ merged: result, live: original, order, identity: identityOf(mergeKey) });
}

function requireItem(item: unknown, mergeKey: string): Fields {
  if (!isObject(item)) throw badRequest(`items of a list merged by "${mergeKey}" must be objects`);
  if (item[mergeKey] === undefined && item["$patch"] !== "replace") {
    throw badRequest(`map does not contain declared merge key: ${mergeKey}`);
  }
  return item;
}

/**
 * The live item a patch item is about. Container ports are merged by port alone though 80/TCP and 80/UDP may stand
 * side by side: where several items share the merge key, the one whose other keys fit too is meant.
 */
function matchingIndex(list: readonly unknown[], item: Fields, mergeKey: string, schema: Schema | undefined): number {
  const candidates = list.flatMap((other, index) =>
    isObject(other) && deepEqual(other[mergeKey], item[mergeKey]) ? [{ other, index }] : [],
  );
  if (candidates.length < 2) return candidates[0]?.index ?? -1;
  const itemSchema = resolveSchema(schema?.items);
  const keys = schema?.["x-kubernetes-list-map-keys"] ?? [];
  const valueOf = (fields: Fields, key: string): unknown => fields[key] ?? fieldSchema(itemSchema, key)?.default;
  const exact = candidates.find(({ other }) => keys.every((key) => deepEqual(valueOf(other, key), valueOf(item, key))));
  return (exact ?? candidates[0])?.index ?? -1;
}

interface Strategy {
  readonly merges: boolean;
  /** Undefined for lists of plain values, which merge as sets. */
  readonly mergeKey: string | undefined;
}

function strategyOf(schema: Schema | undefined): Strategy {
  const strategy = (schema?.["x-kubernetes-patch-strategy"] ?? "").split(",");
  return { merges: strategy.includes("merge"), mergeKey: schema?.["x-kubernetes-patch-merge-key"] };
}

function identityOf(mergeKey: string | undefined): (item: unknown) => string {
  return (item) => JSON.stringify(mergeKey !== undefined && isObject(item) ? item[mergeKey] : item) ?? "";
}

function retained(original: Fields, keys: unknown): Fields {
  if (keys === undefined) return { ...original };
  if (!Array.isArray(keys)) throw badRequest('"$retainKeys" of a strategic merge patch must be a list');
  return Object.fromEntries(Object.entries(original).filter(([key]) => keys.includes(key)));
}

function removePrimitives(fields: Fields, field: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest(`"${removePrefix}${field}" of a strategic merge patch must be a list`);
  const list = listAt(fields, field).filter((item) => !values.some((value) => deepEqual(item, value)));
  if (list.length > 0) fields[field] = list;
  else delete fields[field];
}

function listAt(fields: Fields, field: string): readonly unknown[] {
  const list = fields[field];
  return Array.isArray(list) ? list : [];
}

function union(live: readonly unknown[], added: readonly unknown[]): unknown[] {
  const merged = [...live, ...added.filter((item) => !live.some((other) => deepEqual(other, item)))];
  return orderElements({ merged, live, order: added, identity: identityOf(undefined) });
}

function withoutDirectives(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([key, value]) => !key.startsWith("$") && value !== null)
      .map(([key, value]) => [key, stripped(value)]),
  );
}

function stripped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripped);
  return isObject(value) ? withoutDirectives(value) : value;
}
