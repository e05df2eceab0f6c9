/**
 * The rules CRDs state in the Common Expression Language (`x-kubernetes-validations`). A rule that uses a function
 * only upstream has is not enforced, and whoever writes is warned of it. Pure.
 */
import { Environment } from "@marcbachmann/cel-js";
import { isObject, linearPattern, type Problem } from "#lib";
import type { Schema } from "../schema/schema.ts";

export interface CelRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
}

type Program = (variables: { self: unknown; oldSelf?: unknown }) => unknown;

const environment = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 5000, maxDepth: 100 },
})
  .registerVariable("self", "dyn")
  .registerVariable("oldSelf", "dyn")
  // Patterns of strangers must not cost more than their length.
  .registerFunction("string.linearMatches(string): bool", (text: string, pattern: string) =>
    linearPattern(pattern).test(text),
  )
  .registerFunction("list.isSorted(): bool", (list: readonly Comparable[]) =>
    list.every((item, index) => index === 0 || (list[index - 1] ?? item) <= item),
  )
  .registerFunction("list.sum(): dyn", (list: readonly Comparable[]) => sum(list))
  .registerFunction("list.min(): dyn", (list: readonly Comparable[]) => extreme(list, (a, b) => a < b))
  .registerFunction("list.max(): dyn", (list: readonly Comparable[]) => extreme(list, (a, b) => a > b));

type Comparable = bigint | number | string;

function sum(list: readonly Comparable[]): bigint | number {
  if (list.every((item) => typeof item === "bigint")) return list.reduce<bigint>((all, item) => all + item, 0n);
  return list.reduce<number>((all, item) => all + Number(item), 0);
}

function extreme(list: readonly Comparable[], better: (a: Comparable, b: Comparable) => boolean): Comparable {
  const [first, ...rest] = list;
  if (first === undefined) throw new RangeError("the list is empty");
  return rest.reduce((best, item) => (better(item, best) ? item : best), first);
}

const programs = new Map<string, Program | Error>();
const maxPrograms = 1000;

/** An Error for what is no expression. */
export function compileRule(text: string): Program | Error {
  const known = programs.get(text);
  if (known !== undefined) return known;
  if (programs.size >= maxPrograms) programs.clear();
  let program: Program | Error;
  try {
    program = environment.parse(withLinearMatches(text)) as Program;
  } catch (error) {
    program = error instanceof Error ? error : new Error(String(error));
  }
  programs.set(text, program);
  return program;
}

/** The library's own `matches` runs patterns whose time may grow without end. String literals are left alone. */
function withLinearMatches(text: string): string {
  return text.replaceAll(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\.matches\(/g, (part) =>
    part === ".matches(" ? ".linearMatches(" : part,
  );
}

export function rulesOf(schema: Schema): readonly CelRule[] {
  const rules = schema["x-kubernetes-validations"];
  return Array.isArray(rules) ? (rules as CelRule[]) : [];
}

/** `old` on updates: rules about the change hold where both have a value. */
export function celProblems(schema: Schema, value: unknown, old: unknown, path: string): Problem[] {
  if (value === undefined || value === null) return [];
  const problems = rulesOf(schema).flatMap((rule) => ruleProblems(rule, schema, { value, old, path }));
  if (Array.isArray(value)) return [...problems, ...itemProblems(schema, value, old, path)];
  if (!isObject(value)) return problems;
  const { properties = {}, additionalProperties } = schema;
  for (const [name, inner] of Object.entries(value)) {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const found = own ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
    if (found === undefined) continue;
    const place = own === undefined ? `${path}[${name}]` : path === "" ? name : `${path}.${name}`;
    problems.push(...celProblems(found, inner, isObject(old) ? old[name] : undefined, place));
  }
  return problems;
}

/** Items of lists by key are the same where their keys are; those of other lists have no past. */
function itemProblems(schema: Schema, list: readonly unknown[], old: unknown, path: string): Problem[] {
  const { items } = schema;
  if (items === undefined) return [];
  const keys = schema["x-kubernetes-list-type"] === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : [];
  const identity = (item: unknown): string => JSON.stringify(keys.map((key) => (isObject(item) ? item[key] : null)));
  const before = new Map(
    Array.isArray(old) && keys.length > 0 ? old.map((item: unknown) => [identity(item), item] as const) : [],
  );
  return list.flatMap((item, index) => celProblems(items, item, before.get(identity(item)), `${path}[${index}]`));
}

interface Subject {
  readonly value: unknown;
  readonly old: unknown;
  readonly path: string;
}

const mostSteps = 2_000_000;

function ruleProblems(rule: CelRule, schema: Schema, { value, old, path }: Subject): Problem[] {
  const ofChange = /\boldSelf\b/.test(rule.rule);
  if (ofChange && old === undefined) return [];
  const program = compileRule(rule.rule);
  if (program instanceof Error) return [unenforced(rule, path)];
  if (longest(value) ** nesting(rule.rule) > mostSteps) {
    return [{ path, message: `Forbidden: the value is too large for the rule "${rule.rule}": its cost has a limit` }];
  }
  const variables = { self: celValue(schema, value), ...(ofChange ? { oldSelf: celValue(schema, old) } : {}) };
  try {
    if (program(variables) === true) return [];
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    if (why.startsWith("found no matching overload for")) return [unenforced(rule, path)];
    return [{ path, message: `Invalid value: ${shown(schema)}: rule evaluation error: ${why}` }];
  }
  const place = rule.fieldPath === undefined ? path : `${path}${rule.fieldPath}`.replace(/^\./, "");
  return [
    {
      path: place,
      message: `${prefixes[rule.reason ?? ""] ?? `Invalid value: ${shown(schema)}: `}${textOf(rule, variables)}`,
    },
  ];
}

const prefixes: Readonly<Record<string, string>> = {
  FieldValueForbidden: "Forbidden: ",
  FieldValueRequired: "Required value: ",
  FieldValueDuplicate: "Duplicate value: ",
};

function shown(schema: Schema): string {
  return JSON.stringify(schema.type ?? "object");
}

function textOf(rule: CelRule, variables: { self: unknown }): string {
  const program = rule.messageExpression === undefined ? undefined : compileRule(rule.messageExpression);
  if (typeof program === "function") {
    try {
      const text = program(variables);
      if (typeof text === "string" && text.trim() !== "" && !text.includes("\n")) return text;
    } catch {
      // The fixed message does as well.
    }
  }
  return rule.message ?? `failed rule: ${rule.rule}`;
}

function unenforced({ rule }: CelRule, path: string): Problem {
  return { path, severity: "warning", message: `the rule "${rule}" uses what is not known here and is not enforced` };
}

/** Schemas tell whole numbers from others, which in JSON are one type and in the language are two. */
function celValue(schema: Schema | undefined, value: unknown): unknown {
  if (typeof value === "number") {
    const whole = schema?.type === "integer" || schema?.["x-kubernetes-int-or-string"] === true;
    return whole && Number.isInteger(value) ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map((item) => celValue(schema?.items, item));
  if (!isObject(value)) return value;
  const { properties = {}, additionalProperties } = schema ?? {};
  const rest = typeof additionalProperties === "object" ? additionalProperties : undefined;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      celValue(Object.hasOwn(properties, name) ? properties[name] : rest, inner),
    ]),
  );
}

function longest(value: unknown): number {
  if (Array.isArray(value)) return Math.max(value.length, ...value.map(longest));
  return isObject(value) ? Math.max(Object.keys(value).length, 1, ...Object.values(value).map(longest)) : 1;
}

/** How deep loops stand in loops. */
function nesting(rule: string): number {
  const open: boolean[] = [];
  let deepest = 0;
  for (const [part, loop] of rule.matchAll(/\.(all|exists|exists_one|map|filter)\(|\(|\)/g)) {
    if (part === ")") open.pop();
    else open.push(loop !== undefined);
    deepest = Math.max(deepest, open.filter(Boolean).length);
  }
  return deepest;
}
