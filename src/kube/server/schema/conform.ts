/**
 * Brings a value into the shape of its schema: what has no place is dropped and reported, what has the wrong type is a
 * problem. For schemas of CRDs, whose authors put their rules there, the other rules count too. Pure but for `value`,
 * which is changed.
 */
import { canonicalQuantity } from "#api";
import { isObject } from "#lib";
import type { Problem } from "#lib";
import { missing, ruleProblems } from "./rules.ts";
import type { Schema } from "./schema.ts";
import { refPrefix, resolveSchema } from "./upstream.ts";

export interface Conformity {
  /** Paths of what was dropped. */
  readonly unknown: readonly string[];
  /** Values of the wrong type. */
  readonly mistyped: readonly Problem[];
  /** Required fields that are not there. Those of a status are left to its writer. */
  readonly missing: readonly Problem[];
  /** Values of the right type that break another rule. */
  readonly broken: readonly Problem[];
}

export interface ConformOptions {
  /** Enums, bounds, patterns and defaults too: as CRDs mean them. */
  readonly allRules: boolean;
  /** Leaves values out of the problems: they are secrets. */
  readonly confidential: boolean;
  /** Top-level fields that are looked after elsewhere. */
  readonly except: ReadonlySet<string>;
}

interface Walk extends ConformOptions {
  readonly unknown: string[];
  readonly mistyped: Problem[];
  readonly missing: Problem[];
  readonly broken: Problem[];
}

const quantityRule = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const quantity = `${refPrefix}io.k8s.apimachinery.pkg.api.resource.Quantity`;

export function conform(schema: Schema, value: Record<string, unknown>, options: ConformOptions): Conformity {
  const walk: Walk = { ...options, unknown: [], mistyped: [], missing: [], broken: [] };
  conformFields(schema, value, "", walk);
  return walk;
}

function conformValue(reference: Schema, value: unknown, path: string, walk: Walk): unknown {
  const schema = resolveSchema(reference);
  if (schema === undefined) return value;
  if (reference.$ref === quantity) {
    // Upstream reads quantities written as numbers (`cpu: 1`) too.
    const isSound = typeof value === "number" || (typeof value === "string" && canonicalQuantity(value) !== undefined);
    if (!isSound) walk.mistyped.push({ path: "", message: quantityRule });
    return value;
  }
  const wanted = typeProblem(schema, value);
  if (wanted !== undefined) {
    walk.mistyped.push({
      path,
      message: `Invalid value: ${walk.confidential ? "" : `${shown(value)}: `}must be ${wanted}`,
    });
    return value;
  }
  if (walk.allRules) walk.broken.push(...ruleProblems(schema, value, path));
  if (Array.isArray(value)) return conformItems(schema, value, path, walk);
  if (isObject(value)) conformFields(schema, value, path, walk);
  return value;
}

function conformItems(schema: Schema, list: unknown[], path: string, walk: Walk): unknown[] {
  const { items } = schema;
  if (items === undefined) return list;
  return list.map((item, index) => conformValue(items, item, `${path}[${index}]`, walk));
}

function conformFields(schema: Schema, fields: Record<string, unknown>, path: string, walk: Walk): void {
  const { properties = {}, additionalProperties } = schema;
  const free = isFree(schema);
  if (walk.allRules) addDefaults(properties, fields);
  if (walk.allRules || !/^status\b/.test(path)) walk.missing.push(...missing(schema, fields, path));
  for (const [name, value] of Object.entries(fields)) {
    if (path === "" && walk.except.has(name)) continue;
    const inner = Object.hasOwn(properties, name)
      ? properties[name]
      : typeof additionalProperties === "object"
        ? additionalProperties
        : undefined;
    const place = path === "" ? name : `${path}.${name}`;
    if (inner === undefined) {
      if (free || isEmbeddedMeta(schema, name)) continue;
      walk.unknown.push(place);
      delete fields[name];
    } else if (value === null && !allowsNull(inner)) delete fields[name];
    else fields[name] = conformValue(inner, value, place, walk);
  }
}

/** Nothing is said of what may stand in it, or it is said that anything may. */
function isFree(schema: Schema): boolean {
  if (schema["x-kubernetes-preserve-unknown-fields"] === true || schema.additionalProperties === true) return true;
  const typed = schema.type !== undefined && schema.type !== "object";
  return schema.properties === undefined && schema.additionalProperties === undefined && !typed;
}

function isEmbeddedMeta(schema: Schema, name: string): boolean {
  return schema["x-kubernetes-embedded-resource"] === true && ["apiVersion", "kind", "metadata"].includes(name);
}

/** A null means "not set" wherever it is not a value of its own. */
function allowsNull(schema: Schema): boolean {
  return schema.nullable === true || (schema.type === undefined && schema.$ref === undefined);
}

function addDefaults(properties: Readonly<Record<string, Schema>>, fields: Record<string, unknown>): void {
  for (const [name, schema] of Object.entries(properties)) {
    const unset = fields[name] === undefined || (fields[name] === null && schema.nullable !== true);
    if (schema.default !== undefined && unset) fields[name] = structuredClone(schema.default);
  }
}

/** What the value should be, or undefined when it is. */
function typeProblem(schema: Schema, value: unknown): string | undefined {
  if (value === null && schema.nullable === true) return undefined;
  if (schema["x-kubernetes-int-or-string"] === true || schema.format === "int-or-string") {
    return Number.isInteger(value) || typeof value === "string" ? undefined : "a whole number or a string";
  }
  switch (schema.type) {
    case "string":
      if (typeof value !== "string") return "a string";
      return schema.format === "date-time" && !isTime(value) ? "an RFC 3339 time" : undefined;
    case "boolean":
      return typeof value === "boolean" ? undefined : "true or false";
    case "integer":
      return isInteger(value, schema.format) ? undefined : (integerWords[schema.format ?? ""] ?? "a whole number");
    case "number":
      return typeof value === "number" ? undefined : "a number";
    case "array":
      return Array.isArray(value) ? undefined : "a list";
    case "object":
      return isObject(value) ? undefined : "a map";
    default:
      return undefined;
  }
}

const integerWords: Readonly<Record<string, string>> = { int32: "a whole number of 32 bits" };

function isInteger(value: unknown, format: string | undefined): boolean {
  if (!Number.isInteger(value)) return false;
  return format === "int32" ? Number(value) === (Number(value) | 0) : Math.abs(Number(value)) < 2 ** 63;
}

function isTime(text: string): boolean {
  try {
    Temporal.Instant.from(text);
    return true;
  } catch {
    return false;
  }
}

const shownLimit = 100;

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "null";
  return text.length > shownLimit ? `${text.slice(0, shownLimit)}…` : text;
}
