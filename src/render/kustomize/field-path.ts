/**
 * Field specs: `spec/template/metadata/labels`, with lists walked through by themselves, `name[]` for "only if a list",
 * and `\/` for a slash inside a key.
 */
import { isObject } from "#lib";
import { KustomizeError } from "./errors.ts";
import type { KindPattern } from "./resource.ts";

export interface FieldSpec extends KindPattern {
  readonly path: string;
  /** Whether missing mappings on the way are made. */
  readonly create?: boolean;
}

/** Called with the mapping that holds the last field of the path, and that field's name. */
export type FieldVisitor = (holder: Record<string, unknown>, field: string) => void;

function splitFieldPath(path: string): string[] {
  return path.split(/(?<!\\)\//).map((part) => part.replaceAll("\\/", "/"));
}

/** Visits every place the path leads to. With `create`, missing mappings and the last field count as there. */
export function visitField(object: Record<string, unknown>, path: string, create: boolean, visit: FieldVisitor): void {
  walk(object, splitFieldPath(path), path, create, visit);
}

function walk(node: unknown, parts: readonly string[], path: string, create: boolean, visit: FieldVisitor): void {
  if (node === null || node === undefined) return;
  if (Array.isArray(node)) {
    for (const item of node) walk(item, parts, path, create, visit);
    return;
  }
  if (!isObject(node)) throw new KustomizeError(`Cannot follow "${path}": expected a mapping or a list on the way`);
  const [part = "", ...rest] = parts;
  const onlyList = part.endsWith("[]");
  const field = onlyList ? part.slice(0, -2) : part;
  const creates = create && !onlyList;
  if (rest.length === 0) {
    if (creates || node[field] !== undefined) visit(node, field);
    return;
  }
  if ((node[field] === undefined || node[field] === null) && creates) node[field] = {};
  if (onlyList && !Array.isArray(node[field])) return;
  walk(node[field], rest, path, create, visit);
}
