/** A small description of what a mapping may hold, checked with positions: nothing a person wrote is silently ignored. */
import { isObject, type Problem } from "#lib";
import type { YamlDocument, YamlPath } from "../yaml-source.ts";

export type Shape =
  | { readonly kind: "string" | "boolean" | "integer" | "any" }
  | { readonly kind: "list"; readonly item: Shape }
  | { readonly kind: "map"; readonly value: Shape }
  | { readonly kind: "fields"; readonly fields: Readonly<Record<string, Shape>>; readonly required: readonly string[] }
  | { readonly kind: "unsupported"; readonly remedy: string };

export const text: Shape = { kind: "string" };
export const flag: Shape = { kind: "boolean" };
export const integer: Shape = { kind: "integer" };
export const anything: Shape = { kind: "any" };

export function listOf(item: Shape): Shape {
  return { kind: "list", item };
}

export function mapOf(value: Shape): Shape {
  return { kind: "map", value };
}

export function fieldsOf(fields: Readonly<Record<string, Shape>>, ...required: readonly string[]): Shape {
  return { kind: "fields", fields, required };
}

export function unsupported(remedy: string): Shape {
  return { kind: "unsupported", remedy };
}

/** Reports everything in `value` that the shape does not allow. A null counts as absent, as in Go. */
export function checkShape(
  document: YamlDocument,
  path: YamlPath,
  value: unknown,
  shape: Shape,
  problems: Problem[],
): void {
  if (value === null || value === undefined) return;
  switch (shape.kind) {
    case "any":
      return;
    case "string":
    case "boolean":
    case "integer":
      if (!isScalarOf(value, shape.kind)) problems.push(document.problem(path, `Expected ${expected[shape.kind]}`));
      return;
    case "unsupported":
      problems.push(document.problem(path, `Field is not supported: ${shape.remedy}`));
      return;
    case "list":
      if (!Array.isArray(value)) problems.push(document.problem(path, "Expected a list"));
      else
        for (const [index, item] of value.entries()) checkShape(document, [...path, index], item, shape.item, problems);
      return;
    case "map":
      if (!isObject(value)) problems.push(document.problem(path, "Expected a mapping"));
      else
        for (const [key, item] of Object.entries(value))
          checkShape(document, [...path, key], item, shape.value, problems);
      return;
    case "fields":
      checkFields(document, path, value, shape, problems);
  }
}

const expected = { string: "a string (put it in quotes)", boolean: "true or false", integer: "an integer" } as const;

function isScalarOf(value: unknown, kind: keyof typeof expected): boolean {
  if (kind === "integer") return Number.isInteger(value);
  return typeof value === kind;
}

function checkFields(
  document: YamlDocument,
  path: YamlPath,
  value: unknown,
  shape: Extract<Shape, { kind: "fields" }>,
  problems: Problem[],
): void {
  if (!isObject(value)) {
    problems.push(document.problem(path, "Expected a mapping"));
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    const inner = shape.fields[key];
    if (inner !== undefined) checkShape(document, [...path, key], item, inner, problems);
    else
      problems.push({
        ...document.problem([...path, key], unknownField(key, shape)),
        at: document.locateKey([...path, key]),
      });
  }
  for (const key of shape.required) {
    if (value[key] === undefined || value[key] === null)
      problems.push(document.problem(path, `Field "${key}" is missing: add it`));
  }
}

function unknownField(key: string, shape: Extract<Shape, { kind: "fields" }>): string {
  const near = Object.keys(shape.fields).find((field) => field.toLowerCase() === key.toLowerCase());
  return near === undefined ? `Unknown field "${key}": remove it` : `Unknown field "${key}": did you mean "${near}"?`;
}
