/** The rules a schema may set beyond types. Pure. */
import { deepEqual, isObject, linearPattern, type Problem } from "#lib";
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
    numberProblems(schema, value).forEach(invalid);
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
  if (isObject(value)) {
    const count = Object.keys(value).length;
    if (schema.minProperties !== undefined && count < schema.minProperties)
      invalid(`should have at least ${schema.minProperties} properties`);
    if (schema.maxProperties !== undefined && count > schema.maxProperties)
      invalid(`should have at most ${schema.maxProperties} properties`);
  }
  combinationProblems(schema, value).forEach(invalid);
  if (Array.isArray(value)) problems.push(...duplicateProblems(schema, value, path));
  if (schema["x-kubernetes-embedded-resource"] === true && isObject(value)) {
    for (const field of ["apiVersion", "kind"]) {
      if (!value[field]) problems.push({ path: `${path}.${field}`, message: "Required value: must not be empty" });
    }
  }
  return problems;
}

/** Items of sets and of lists by key are told apart by what they are, so no two may be the same. */
function duplicateProblems(schema: Schema, list: readonly unknown[], path: string): Problem[] {
  const type = schema["x-kubernetes-list-type"];
  if (type !== "map" && type !== "set") return [];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const seen = new Set<string>();
  return list.flatMap((item, index) => {
    const identity = type === "set" || !isObject(item) ? item : Object.fromEntries(keys.map((key) => [key, item[key]]));
    const text = JSON.stringify(identity) ?? "null";
    if (seen.has(text)) return [{ path: `${path}[${index}]`, message: `Duplicate value: ${text}` }];
    seen.add(text);
    return [];
  });
}

function numberProblems(schema: Schema, value: number): string[] {
  const { minimum, maximum, multipleOf } = schema;
  const faults: string[] = [];
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum === true && value <= minimum) faults.push(`should be greater than ${minimum}`);
    else if (value < minimum) faults.push(`should be greater than or equal to ${minimum}`);
  }
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum === true && value >= maximum) faults.push(`should be less than ${maximum}`);
    else if (value > maximum) faults.push(`should be less than or equal to ${maximum}`);
  }
  if (multipleOf !== undefined && multipleOf > 0 && !Number.isInteger(value / multipleOf)) {
    faults.push(`should be a multiple of ${multipleOf}`);
  }
  return faults;
}

function combinationProblems(schema: Schema, value: unknown): string[] {
  const fits = (other: Schema): boolean => holds(other, value);
  const faults: string[] = [];
  if (schema.allOf !== undefined && !schema.allOf.every(fits)) faults.push("must validate all the schemas (allOf)");
  if (schema.anyOf !== undefined && !schema.anyOf.some(fits)) {
    faults.push("must validate at least one schema (anyOf)");
  }
  if (schema.oneOf !== undefined && schema.oneOf.filter(fits).length !== 1) {
    faults.push("must validate one and only one schema (oneOf)");
  }
  if (schema.not !== undefined && fits(schema.not)) faults.push("must not validate the schema (not)");
  return faults;
}

/** Of the parts of a combination, which in a structural schema only narrow what the schema around them allows. */
function holds(schema: Schema, value: unknown): boolean {
  if (schema.type !== undefined && !isOfType(schema.type, value)) return false;
  if (ruleProblems(schema, value, "").length > 0) return false;
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined || value.every((item) => holds(items, item));
  }
  if (!isObject(value)) return true;
  if (missing(schema, value, "").length > 0) return false;
  return Object.entries(schema.properties ?? {}).every(
    ([name, inner]) => value[name] === undefined || holds(inner, value[name]),
  );
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case "integer":
      return Number.isInteger(value);
    case "array":
      return Array.isArray(value);
    case "object":
      return isObject(value);
    default:
      return typeof value === type;
  }
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
