/** RFC 6902 over JSON values. */
import { deepEqual, isObject } from "#lib";
import type { JsonPatchOperation } from "../../client/cluster.ts";
import { KubeError } from "../../client/kube-error.ts";
import { badRequest } from "../refusals.ts";

const maxOperations = 10_000;

/** Returns a new value. Throws BadRequest for a malformed patch, Invalid when it cannot be applied. */
export function applyJsonPatch(target: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest("a JSON patch must be a list of operations");
  if (patch.length > maxOperations) throw badRequest(`a JSON patch may have at most ${maxOperations} operations`);
  let document = structuredClone(target);
  for (const item of patch) document = applyOperation(document, readOperation(item));
  return document;
}

function readOperation(item: unknown): JsonPatchOperation {
  if (!isObject(item)) throw badRequest("an operation of a JSON patch must be an object");
  const { op, path, from } = item;
  const known = op === "add" || op === "remove" || op === "replace" || op === "move" || op === "copy" || op === "test";
  if (!known) throw badRequest(`unknown operation ${JSON.stringify(op)} in a JSON patch`);
  if (typeof path !== "string") throw badRequest(`operation "${op}" of a JSON patch must have a path`);
  if (op === "move" || op === "copy") {
    if (typeof from !== "string") throw badRequest(`operation "${op}" of a JSON patch must have a from path`);
    return { op, path, from };
  }
  if (op !== "remove" && !("value" in item)) {
    throw badRequest(`operation "${op}" of a JSON patch must have a value`);
  }
  return { op, path, value: item["value"] };
}

function applyOperation(document: unknown, operation: JsonPatchOperation): unknown {
  const { op, path } = operation;
  switch (op) {
    case "add":
      return add(document, path, structuredClone(operation.value));
    case "replace":
      read(document, path);
      return path === "" ? structuredClone(operation.value) : replace(document, path, structuredClone(operation.value));
    case "remove":
      return remove(document, path);
    case "test":
      if (deepEqual(read(document, path), operation.value)) return document;
      throw failed(`testing value ${path} failed`);
    case "copy":
      return add(document, path, structuredClone(read(document, operation.from ?? "")));
    case "move": {
      const value = read(document, operation.from ?? "");
      if (path.startsWith(`${operation.from}/`)) throw failed(`cannot move ${operation.from} into itself`);
      return add(remove(document, operation.from ?? ""), path, value);
    }
  }
}

function add(document: unknown, path: string, value: unknown): unknown {
  if (path === "") return value;
  const { parent, key } = locate(document, path);
  if (Array.isArray(parent)) parent.splice(key === "-" ? parent.length : indexOf(parent, key, path, true), 0, value);
  else parent[key] = value;
  return document;
}

function replace(document: unknown, path: string, value: unknown): unknown {
  const { parent, key } = locate(document, path);
  if (Array.isArray(parent)) parent[indexOf(parent, key, path, false)] = value;
  else parent[key] = value;
  return document;
}

function remove(document: unknown, path: string): unknown {
  if (path === "") throw failed("cannot remove the whole document");
  read(document, path);
  const { parent, key } = locate(document, path);
  if (Array.isArray(parent)) parent.splice(indexOf(parent, key, path, false), 1);
  else delete parent[key];
  return document;
}

function read(document: unknown, path: string): unknown {
  if (path === "") return document;
  const { parent, key } = locate(document, path);
  if (Array.isArray(parent)) return parent[indexOf(parent, key, path, false)];
  if (!Object.hasOwn(parent, key)) throw failed(`missing path ${path}`);
  return parent[key];
}

function locate(document: unknown, path: string): { parent: unknown[] | Record<string, unknown>; key: string } {
  if (!path.startsWith("/")) throw badRequest(`path "${path}" of a JSON patch must start with "/"`);
  const tokens = path
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (tokens.includes("__proto__")) throw badRequest(`path "${path}" of a JSON patch is not allowed`);
  const key = tokens.pop() ?? "";
  let parent: unknown = document;
  for (const token of tokens) {
    if (Array.isArray(parent)) parent = parent[indexOf(parent, token, path, false)];
    else if (isObject(parent) && Object.hasOwn(parent, token)) parent = parent[token];
    else throw failed(`missing path ${path}`);
  }
  if (!Array.isArray(parent) && !isObject(parent)) throw failed(`missing path ${path}`);
  return { parent, key };
}

function indexOf(list: readonly unknown[], token: string, path: string, mayAppend: boolean): number {
  const index = /^(?:0|[1-9]\d{0,8})$/.test(token) ? Number(token) : Number.NaN;
  const limit = mayAppend ? list.length : list.length - 1;
  if (!(index <= limit)) throw failed(`index "${token}" of path ${path} is out of bounds`);
  return index;
}

function failed(why: string): KubeError {
  return new KubeError("Invalid", `the server rejected our request due to an error in our request: ${why}`);
}
