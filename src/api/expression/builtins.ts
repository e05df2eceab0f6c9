/** Functions of the expr language. They throw plain errors; the evaluator adds the place. */
import { isObject, parseGoDuration } from "#lib";
import type { ExpressionFunction } from "./evaluate.ts";
import { DurationValue, isNil, typeName } from "./values.ts";

/** Calls a predicate with an element, its index and, in `reduce`, what has been gathered. */
type Apply = (value: unknown, index: number, acc: unknown) => unknown;
type PredicateFunction = (items: readonly unknown[], apply: Apply, rest: readonly unknown[]) => unknown;

function truth(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new Error(`predicate should return bool, but got ${typeName(value)}`);
}

function number(value: unknown): number {
  if (typeof value === "number") return value;
  throw new Error(`expected a number, but got ${typeName(value)}`);
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new Error(`expected a string, but got ${typeName(value)}`);
}

function list(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  throw new Error(`expected an array, but got ${typeName(value)}`);
}

function map(value: unknown): Record<string, unknown> {
  if (isObject(value)) return value;
  throw new Error(`expected a map, but got ${typeName(value)}`);
}

/** Numbers given one by one or as arrays. */
function numbers(args: readonly unknown[]): number[] {
  return args.flatMap((arg) => (Array.isArray(arg) ? arg.map(number) : [number(arg)]));
}

function extreme(args: readonly unknown[], pick: (...values: number[]) => number): number {
  const values = numbers(args);
  if (values.length === 0) throw new Error("not enough arguments");
  return values.reduce((best, value) => pick(best, value));
}

function toNumber(value: unknown, whole: boolean): number {
  const result = typeof value === "string" && value.trim() !== "" ? Number(value) : number(value);
  if (Number.isNaN(result) && typeof value === "string") throw new Error(`invalid number ${JSON.stringify(value)}`);
  return whole ? Math.trunc(result) : result;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : mean(sorted.slice(Math.max(0, middle - 1), middle + 1));
}

export const builtins: Readonly<Record<string, ExpressionFunction>> = {
  len: (value) => {
    if (typeof value === "string") return Array.from(value).length;
    return Array.isArray(value) ? value.length : Object.keys(map(value)).length;
  },
  type: (value) => typeName(value),
  abs: (value) => Math.abs(number(value)),
  ceil: (value) => Math.ceil(number(value)),
  floor: (value) => Math.floor(number(value)),
  round: (value) => Math.sign(number(value)) * Math.round(Math.abs(number(value))),
  int: (value) => toNumber(value, true),
  float: (value) => toNumber(value, false),
  string: (value) => (typeof value === "string" ? value : isNil(value) ? "<nil>" : JSON.stringify(value)),
  trim: (value, set) => (set === undefined ? text(value).trim() : trimSet(text(value), text(set))),
  upper: (value) => text(value).toUpperCase(),
  lower: (value) => text(value).toLowerCase(),
  split: (value, by) => text(value).split(text(by)),
  join: (items, by) =>
    list(items)
      .map(text)
      .join(by === undefined ? "" : text(by)),
  replace: (value, from, to) => text(value).replaceAll(text(from), () => text(to)),
  hasPrefix: (value, prefix) => text(value).startsWith(text(prefix)),
  hasSuffix: (value, suffix) => text(value).endsWith(text(suffix)),
  indexOf: (value, part) => text(value).indexOf(text(part)),
  max: (...args) => extreme(args, Math.max),
  min: (...args) => extreme(args, Math.min),
  mean: (...args) => mean(numbers(args)),
  median: (...args) => median(numbers(args)),
  first: (items) => list(items)[0] ?? null,
  last: (items) => list(items).at(-1) ?? null,
  take: (items, count) => list(items).slice(0, number(count)),
  reverse: (items) => list(items).toReversed(),
  sort: (items) =>
    list(items)
      .map(number)
      .toSorted((a, b) => a - b),
  keys: (value) => Object.keys(map(value)),
  values: (value) => Object.values(map(value)),
  get: (value, key) => {
    if (Array.isArray(value)) return (value as unknown[]).at(number(key)) ?? null;
    return isObject(value) && Object.hasOwn(value, String(key)) ? value[String(key)] : null;
  },
  toJSON: (value) => JSON.stringify(value),
  fromJSON: (value) => JSON.parse(text(value)) as unknown,
  duration: (value) => {
    const ms = parseGoDuration(text(value));
    if (ms === undefined) throw new Error(`invalid duration ${JSON.stringify(value)}`);
    return new DurationValue(ms);
  },
  date: (value) => Temporal.Instant.from(text(value)),
};

function trimSet(value: string, set: string): string {
  let [from, to] = [0, value.length];
  while (from < to && set.includes(value.charAt(from))) from++;
  while (to > from && set.includes(value.charAt(to - 1))) to--;
  return value.slice(from, to);
}

export const predicateBuiltins: Readonly<Record<string, PredicateFunction>> = {
  all: (items, apply) => items.every((item, index) => truth(apply(item, index, null))),
  any: (items, apply) => items.some((item, index) => truth(apply(item, index, null))),
  none: (items, apply) => !items.some((item, index) => truth(apply(item, index, null))),
  one: (items, apply) => items.filter((item, index) => truth(apply(item, index, null))).length === 1,
  count: (items, apply) => items.filter((item, index) => truth(apply(item, index, null))).length,
  filter: (items, apply) => items.filter((item, index) => truth(apply(item, index, null))),
  map: (items, apply) => items.map((item, index) => apply(item, index, null)),
  find: (items, apply) => items.find((item, index) => truth(apply(item, index, null))) ?? null,
  findIndex: (items, apply) => {
    const index = items.findIndex((item, at) => truth(apply(item, at, null)));
    return index < 0 ? null : index;
  },
  sum: (items, apply) => items.reduce<number>((sum, item, index) => sum + number(apply(item, index, null)), 0),
  reduce: (items, apply, [initial]) => {
    const start = initial === undefined ? 1 : 0;
    if (initial === undefined && items.length === 0) throw new Error("reduce of an empty array needs an initial value");
    const first = initial === undefined ? items[0] : initial;
    return items.slice(start).reduce((acc, item, index) => apply(item, index + start, acc), first);
  },
};
