/** The functions that exist and the types they take and give. */
import type { ValueType } from "./ast.ts";

export interface Signature {
  readonly args: readonly ValueType[];
  /** How many of the last arguments may be left out. */
  readonly optional?: number;
  readonly result: ValueType;
}

function over(...names: readonly string[]): [string, Signature][] {
  return names.map((name) => [name, { args: ["matrix"], result: "vector" }]);
}

function each(...names: readonly string[]): [string, Signature][] {
  return names.map((name) => [name, { args: ["vector"], result: "vector" }]);
}

function ofTime(...names: readonly string[]): [string, Signature][] {
  return names.map((name) => [name, { args: ["vector"], optional: 1, result: "vector" }]);
}

export const signatures: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  ...over("rate", "increase", "irate", "delta", "idelta", "deriv", "changes", "resets"),
  ...over("avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time", "last_over_time"),
  ...over("present_over_time", "stddev_over_time", "stdvar_over_time", "absent_over_time"),
  ...each(
    "abs",
    "ceil",
    "floor",
    "exp",
    "ln",
    "log2",
    "log10",
    "sqrt",
    "sgn",
    "sort",
    "sort_desc",
    "absent",
    "timestamp",
  ),
  ...each("deg", "rad", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"),
  ...ofTime("hour", "minute", "month", "year", "day_of_month", "day_of_week", "day_of_year", "days_in_month"),
  ["quantile_over_time", { args: ["scalar", "matrix"], result: "vector" }],
  ["predict_linear", { args: ["matrix", "scalar"], result: "vector" }],
  ["histogram_quantile", { args: ["scalar", "vector"], result: "vector" }],
  ["round", { args: ["vector", "scalar"], optional: 1, result: "vector" }],
  ["clamp", { args: ["vector", "scalar", "scalar"], result: "vector" }],
  ["clamp_min", { args: ["vector", "scalar"], result: "vector" }],
  ["clamp_max", { args: ["vector", "scalar"], result: "vector" }],
  ["label_replace", { args: ["vector", "string", "string", "string", "string"], result: "vector" }],
  ["scalar", { args: ["vector"], result: "scalar" }],
  ["vector", { args: ["scalar"], result: "vector" }],
  ["time", { args: [], result: "scalar" }],
  ["pi", { args: [], result: "scalar" }],
]);
