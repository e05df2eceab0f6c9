import type { BinaryOperator } from "./syntax.ts";

interface Binding {
  readonly operator: BinaryOperator;
  readonly power: number;
  readonly right?: boolean;
}

/** Binding powers of expr-lang v1.17. `??` binds tightest, which surprises, but is the language. */
export const bindings: Readonly<Record<string, Binding>> = {
  or: { operator: "or", power: 10 },
  "||": { operator: "or", power: 10 },
  and: { operator: "and", power: 15 },
  "&&": { operator: "and", power: 15 },
  "==": { operator: "==", power: 20 },
  "!=": { operator: "!=", power: 20 },
  "<": { operator: "<", power: 20 },
  ">": { operator: ">", power: 20 },
  "<=": { operator: "<=", power: 20 },
  ">=": { operator: ">=", power: 20 },
  in: { operator: "in", power: 20 },
  matches: { operator: "matches", power: 20 },
  contains: { operator: "contains", power: 20 },
  startsWith: { operator: "startsWith", power: 20 },
  endsWith: { operator: "endsWith", power: 20 },
  "..": { operator: "..", power: 25 },
  "+": { operator: "+", power: 30 },
  "-": { operator: "-", power: 30 },
  "*": { operator: "*", power: 60 },
  "/": { operator: "/", power: 60 },
  "%": { operator: "%", power: 60 },
  "**": { operator: "**", power: 100, right: true },
  "^": { operator: "**", power: 100, right: true },
  "??": { operator: "??", power: 500 },
};

/** Operators that `not` may stand before. */
export const negatable = new Set(["in", "matches", "contains", "startsWith", "endsWith"]);
/** Names that are none. */
export const words = new Set(["or", "and", "not", "in", "matches", "contains", "startsWith", "endsWith", "let"]);
