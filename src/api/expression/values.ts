/** What values of the expr language are and how they combine. */
import { isObject } from "#lib";

/** Go's `time.Duration`. */
export class DurationValue {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

export function isNil(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

/** The name users know the type of a value by. */
export function typeName(value: unknown): string {
  if (isNil(value)) return "nil";
  if (Array.isArray(value)) return "array";
  if (value instanceof DurationValue) return "duration";
  if (value instanceof Temporal.Instant) return "time";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return isObject(value) ? "map" : typeof value;
}

function mismatch(operator: string, a: unknown, b: unknown): Error {
  return new Error(`invalid operation: ${typeName(a)} ${operator} ${typeName(b)}`);
}

export function add(a: unknown, b: unknown): unknown {
  if (typeof a === "number" && typeof b === "number") return a + b;
  if (typeof a === "string" && typeof b === "string") return a + b;
  if (a instanceof DurationValue && b instanceof DurationValue) return new DurationValue(a.ms + b.ms);
  if (a instanceof Temporal.Instant && b instanceof DurationValue) return shift(a, b.ms);
  if (a instanceof DurationValue && b instanceof Temporal.Instant) return shift(b, a.ms);
  throw mismatch("+", a, b);
}

export function subtract(a: unknown, b: unknown): unknown {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (a instanceof DurationValue && b instanceof DurationValue) return new DurationValue(a.ms - b.ms);
  if (a instanceof Temporal.Instant && b instanceof DurationValue) return shift(a, -b.ms);
  if (a instanceof Temporal.Instant && b instanceof Temporal.Instant) {
    return new DurationValue(a.epochMilliseconds - b.epochMilliseconds);
  }
  throw mismatch("-", a, b);
}

export function negate(value: unknown): unknown {
  if (typeof value === "number") return -value;
  if (value instanceof DurationValue) return new DurationValue(-value.ms);
  throw new Error(`invalid operation: - ${typeName(value)}`);
}

function shift(instant: Temporal.Instant, ms: number): Temporal.Instant {
  return Temporal.Instant.fromEpochMilliseconds(instant.epochMilliseconds + Math.round(ms));
}

export function compare(operator: "<" | ">" | "<=" | ">=", a: unknown, b: unknown): boolean {
  const left = comparable(a);
  const right = comparable(b);
  if (
    left === undefined ||
    typeof left !== typeof right ||
    (typeName(a) === "duration") !== (typeName(b) === "duration")
  ) {
    throw mismatch(operator, a, b);
  }
  const other = right as typeof left;
  if (operator === "<") return left < other;
  if (operator === ">") return left > other;
  return operator === "<=" ? left <= other : left >= other;
}

function comparable(value: unknown): number | string | undefined {
  if (typeof value === "number" || typeof value === "string") return value;
  if (value instanceof DurationValue) return value.ms;
  return value instanceof Temporal.Instant ? value.epochMilliseconds : undefined;
}
