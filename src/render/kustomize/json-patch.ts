/** RFC 6902 on plain values. */
import { deepEqual, isObject } from "#lib";
import { KustomizeError } from "./errors.ts";

export interface JsonPatchOperation {
  readonly op: "add" | "remove" | "replace" | "move" | "copy" | "test";
  readonly path: string;
  readonly from?: string;
  readonly value?: unknown;
}

const operations: ReadonlySet<unknown> = new Set(["add", "remove", "replace", "move", "copy", "test"]);

/** The operations of a parsed patch; throws `KustomizeError` naming what is malformed. */
export function readJsonPatch(value: unknown): readonly JsonPatchOperation[] {
  if (!Array.isArray(value)) throw new KustomizeError("A JSON patch must be a list of operations");
  return value.map((entry: unknown, index) => {
    if (!isObject(entry) || !operations.has(entry["op"]) || typeof entry["path"] !== "string") {
      throw new KustomizeError(
        `Operation ${index + 1} of the JSON patch needs "op" (add, remove, replace, …) and "path"`,
      );
    }
    return entry as unknown as JsonPatchOperation;
  });
}

/** Applies all operations to a copy. */
export function applyJsonPatch<T>(document: T, patch: readonly JsonPatchOperation[]): T {
  const root = { value: structuredClone(document) as unknown };
  for (const operation of patch) applyOperation(root, operation);
  return root.value as T;
}

function applyOperation(root: { value: unknown }, operation: JsonPatchOperation): void {
  const path = pointer(operation.path);
  switch (operation.op) {
    case "add":
      insert(root, path, structuredClone(operation.value), operation);
      return;
    case "remove":
      remove(root, path, operation);
      return;
    case "replace":
      remove(root, path, operation);
      insert(root, path, structuredClone(operation.value), operation);
      return;
    case "copy":
      insert(root, path, structuredClone(read(root, pointer(operation.from ?? ""), operation)), operation);
      return;
    case "move": {
      const from = pointer(operation.from ?? "");
      const moved = read(root, from, operation);
      remove(root, from, operation);
      insert(root, path, moved, operation);
      return;
    }
    case "test":
      if (!deepEqual(read(root, path, operation), operation.value)) throw failed(operation, "the value differs");
  }
}

function pointer(text: string): string[] {
  if (text === "") return [];
  if (!text.startsWith("/")) throw new KustomizeError(`"${text}" is not a JSON pointer: it must start with "/"`);
  return text
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

function read(root: { value: unknown }, path: readonly string[], operation: JsonPatchOperation): unknown {
  let value = root.value;
  for (const part of path) {
    value = Array.isArray(value) ? value[itemIndex(value, part, operation)] : isObject(value) ? value[part] : undefined;
    if (value === undefined) throw failed(operation, `there is no "${part}"`);
  }
  return value;
}

function insert(
  root: { value: unknown },
  path: readonly string[],
  value: unknown,
  operation: JsonPatchOperation,
): void {
  const last = path.at(-1);
  if (last === undefined) {
    root.value = value;
    return;
  }
  const holder = read(root, path.slice(0, -1), operation);
  if (Array.isArray(holder)) {
    holder.splice(last === "-" ? holder.length : itemIndex(holder, last, operation, holder.length), 0, value);
  } else if (isObject(holder)) holder[last] = value;
  else throw failed(operation, "its parent is neither a mapping nor a list");
}

function remove(root: { value: unknown }, path: readonly string[], operation: JsonPatchOperation): void {
  const last = path.at(-1);
  if (last === undefined) {
    root.value = undefined;
    return;
  }
  const holder = read(root, path.slice(0, -1), operation);
  if (Array.isArray(holder)) holder.splice(itemIndex(holder, last, operation), 1);
  else if (isObject(holder) && holder[last] !== undefined) delete holder[last];
  else throw failed(operation, `there is no "${last}"`);
}

/** Negative indices count from the end, as in the library Kustomize uses. */
function itemIndex(
  items: readonly unknown[],
  part: string,
  operation: JsonPatchOperation,
  most = items.length - 1,
): number {
  const index = /^-?\d+$/.test(part) ? Number(part) : Number.NaN;
  const place = index < 0 ? items.length + index : index;
  if (!(place >= 0 && place <= most)) throw failed(operation, `"${part}" is not an item of a list of ${items.length}`);
  return place;
}

function failed(operation: JsonPatchOperation, reason: string): KustomizeError {
  return new KustomizeError(`Cannot ${operation.op} "${operation.path}": ${reason}`);
}
