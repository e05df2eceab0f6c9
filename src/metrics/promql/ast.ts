/** PromQL as typed data. Positions count characters from 0, for error messages. */
import type { Matcher } from "../labels.ts";

export type ValueType = "scalar" | "vector" | "matrix" | "string";

export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "string"; readonly value: string }
  | Selector
  | { readonly kind: "matrix"; readonly selector: Selector; readonly rangeMs: number }
  | ({
      readonly kind: "subquery";
      readonly inner: Expression;
      readonly rangeMs: number;
      readonly stepMs: number | undefined;
    } & Shift)
  | { readonly kind: "negate"; readonly inner: Expression }
  | Binary
  | Aggregate
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] };

/** Where in time a selector looks: `at` fixes it, `offsetMs` moves it back. */
export interface Shift {
  readonly offsetMs: number;
  readonly at: { readonly kind: "time"; readonly timeMs: number } | { readonly kind: "start" | "end" } | undefined;
}

export interface Selector extends Shift {
  readonly kind: "selector";
  readonly matchers: readonly Matcher[];
}

const arithmeticOperators = ["+", "-", "*", "/", "%", "^", "atan2"] as const;
export const comparisonOperators = ["==", "!=", ">", "<", ">=", "<="] as const;
export const setOperators = ["and", "or", "unless"] as const;
export type BinaryOperator =
  | (typeof arithmeticOperators)[number]
  | (typeof comparisonOperators)[number]
  | (typeof setOperators)[number];

export interface VectorMatching {
  /** `on`: only these labels count; `ignoring`: all but these. */
  readonly mode: "on" | "ignoring";
  readonly labels: readonly string[];
  readonly group: "left" | "right" | undefined;
  /** Labels taken from the "one" side of a group. */
  readonly include: readonly string[];
}

export interface Binary {
  readonly kind: "binary";
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  /** Comparison gives 0 or 1 instead of filtering. */
  readonly bool: boolean;
  readonly matching: VectorMatching;
}

export interface Aggregate {
  readonly kind: "aggregate";
  readonly operator: string;
  readonly grouping: { readonly mode: "by" | "without"; readonly labels: readonly string[] };
  /** Of topk, bottomk, quantile, count_values. */
  readonly parameter: Expression | undefined;
  readonly inner: Expression;
}
