/** The rules a schema may set beyond types. Pure. */
import { deepEqual, linearPattern, type Problem } from "#lib";
import type { Schema } from "./schema.ts";

/** Problems of the value itself; what is inside it is the caller's. */
export function ruleProblems(schema: Schema, value: unknown, path: string): Problem[] {
  const problems: Problem[] = [];
  function invalid(rule: string): void {
    problems.push({ path, message: `Invalid value: ${short(value)}: ${rule}` });
  }
  if (schema.enum !== undefined && !schema.enum.some((item) => deepEqual(item, value))) {
    const supported = schema.enum.map((item) => JSON.stringify(item)).join(", ");
    problems.push({ path, message: `Unsupported value: ${short(value)}: supported values: ${supported}` });
  }
  if (typeof value === "number") {
    if (schema.minimum !== undefined && value < schema.minimum) invalid(`should be at least ${schema.minimum}`);
    if (schema.maximum !== undefined && value > schema.maximum) invalid(`should be at most ${schema.maximum}`);
  }
  if (typeof value === "string") {
    if (schema.minLength !== undefined && value.length < schema.minLength)
      invalid(`should be at least ${schema.minLength} characters long`);
    if (schema.maxLength !== undefined && value.length > schema.maxLength)
      invalid(`should be at most ${schema.maxLength} characters long`);
    if (schema.pattern !== undefined && matchesNot(schema.pattern, value)) invalid(`should match '${schema.pattern}'`);
  }
  if (Array.isArray(value)) {
    if (schema.minItems !== undefined && value.length < schema.minItems)
      invalid(`should have at least ${schema.minItems} items`);
    if (schema.maxItems !== undefined && value.length > schema.maxItems)
      invalid(`should have at most ${schema.maxItems} items`);
  }
  return problems;
}

/** Required fields that are not there. */
export function missing(schema: Schema, value: Readonly<Record<string, unknown>>, path: string): Problem[] {
  return (schema.required ?? [])
    .filter((name) => value[name] === undefined)
    .map((name) => ({ path: path === "" ? name : `${path}.${name}`, message: "Required value" }));
}

const subjectLimit = 4096;

/** A pattern that cannot be read is not enforced. */
function matchesNot(pattern: string, value: string): boolean {
  try {
    return !linearPattern(pattern).test(value.slice(0, subjectLimit));
  } catch {
    return false;
  }
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
