/**
 * The JSONPath of printer columns: `.status.phase`, `.spec['a.b']`, `.items[0].name`,
 * `.status.conditions[?(@.type=="Ready")].status`. Pure.
 */
import { isObject } from "#lib";

type Step =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "index"; readonly index: number }
  | { readonly kind: "each" }
  | { readonly kind: "filter"; readonly field: readonly string[]; readonly value: string };

export type JsonPath = readonly Step[];

const stepPattern =
  /\.([\w-]+(?:\\.[\w-]+)*)|\[(\d+)\]|\[\*\]|\[['"]([^'"\]]+)['"]\]|\[\?\(@\.([\w.-]+)\s*==\s*['"]([^'"]*)['"]\)\]/y;

/** Undefined when the text is not such a path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const path = text.replace(/^\{(.*)\}$/, "$1").replace(/^\$/, "");
  const steps: Step[] = [];
  stepPattern.lastIndex = 0;
  let at = 0;
  while (at < path.length) {
    stepPattern.lastIndex = at;
    const match = stepPattern.exec(path);
    if (match === null) return undefined;
    at = stepPattern.lastIndex;
    steps.push(stepOf(match));
  }
  return steps;
}

/** Everything the path reaches. */
export function readJsonPath(path: JsonPath, value: unknown): unknown[] {
  let reached = [value];
  for (const step of path) reached = reached.flatMap((current) => follow(step, current));
  return reached.filter((found) => found !== undefined && found !== null);
}

function stepOf([, name, index, quoted, field, value]: RegExpExecArray): Step {
  if (name !== undefined) return { kind: "field", name: name.replaceAll("\\.", ".") };
  if (index !== undefined) return { kind: "index", index: Number(index) };
  if (quoted !== undefined) return { kind: "field", name: quoted };
  if (field !== undefined) return { kind: "filter", field: field.split("."), value: value ?? "" };
  return { kind: "each" };
}

function follow(step: Step, value: unknown): unknown[] {
  switch (step.kind) {
    case "field":
      return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case "index":
      return Array.isArray(value) ? [(value as unknown[])[step.index]] : [];
    case "each":
      return Array.isArray(value) ? (value as unknown[]) : isObject(value) ? Object.values(value) : [];
    case "filter":
      return Array.isArray(value) ? value.filter((item) => String(readField(item, step.field)) === step.value) : [];
  }
}

function readField(item: unknown, field: readonly string[]): unknown {
  let value = item;
  for (const name of field) value = isObject(value) ? value[name] : undefined;
  return value;
}
