/** The type of an expression, and what in it cannot give what is meant. Pure. */
import { data, type Expr } from "@actions/expressions";
import {
  Binary,
  ContextAccess,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Logical,
  Star,
  Unary,
} from "@actions/expressions/ast";
import { literalOf, pathOf } from "../expressions.ts";
import { anything, common, isStructure, nameOf, text, truth, typeOfJson, type ValueType } from "./value-type.ts";

export interface Inference {
  /** By its name in lower case. */
  context(name: string): ValueType;
  report(message: string): void;
}

export function inferType(expr: Expr, by: Inference): ValueType {
  if (expr instanceof Literal) return typeOfLiteral(expr);
  if (expr instanceof Grouping) return inferType(expr.group, by);
  if (expr instanceof ContextAccess) return by.context(pathOf(expr) ?? "");
  if (expr instanceof IndexAccess) return inferIndex(expr, by);
  if (expr instanceof FunctionCall) return inferCall(expr, by);
  if (expr instanceof Logical) return inferLogical(expr, by);
  if (expr instanceof Unary) inferType(expr.expr, by);
  if (expr instanceof Binary) checkComparison(expr, by);
  return truth;
}

function typeOfLiteral(expr: Literal): ValueType {
  switch (expr.literal.kind) {
    case data.Kind.String:
      return text;
    case data.Kind.Number:
      return { kind: "number" };
    case data.Kind.Boolean:
      return truth;
    default:
      return { kind: "null" };
  }
}

function inferLogical(expr: Logical, by: Inference): ValueType {
  const types = expr.args.map((arg) => inferType(arg, by));
  return common(types);
}

function inferIndex(expr: IndexAccess, by: Inference): ValueType {
  const owner = inferType(expr.expr, by);
  const name = expr.index instanceof Literal ? literalOf(expr.index) : undefined;
  const shown = pathOf(expr.expr) ?? "It";
  if (owner.kind === "string" || owner.kind === "number" || owner.kind === "boolean") {
    by.report(`"${shown}" is ${nameOf(owner)}, which has nothing inside${name === undefined ? "" : `, no "${name}"`}`);
    return anything;
  }
  if (owner.kind === "array") return typeof name === "string" && /^\d+$/.test(name) ? owner.item : anything;
  if (owner.kind !== "object") return anything;
  if (name === undefined) {
    const key = expr.index instanceof Star ? anything : inferType(expr.index, by);
    if (key.kind === "boolean" || key.kind === "number")
      by.report(`"${shown}" has its fields by name, and is asked for ${nameOf(key)}`);
    return anything;
  }
  const field = owner.fields.get(name.toLowerCase()) ?? owner.rest;
  if (field === undefined) by.report(`"${shown}" has no "${name}"`);
  return field ?? anything;
}

const orders: ReadonlySet<string> = new Set(["<", "<=", ">", ">="]);

function checkComparison(expr: Binary, by: Inference): void {
  const [left, right] = [inferType(expr.left, by), inferType(expr.right, by)];
  const operator = expr.operator.lexeme;
  if (left.kind === "any" || right.kind === "any") return;
  const structures = [left, right].filter(isStructure);
  const isOrder = orders.has(operator);
  const unordered = isOrder && [left, right].some(({ kind }) => kind === "null" || kind === "boolean");
  const unlike =
    structures.length > 0 && (isOrder || left.kind !== right.kind) && left.kind !== "null" && right.kind !== "null";
  if (unlike || unordered)
    by.report(
      `"${operator}" compares ${nameOf(left)} with ${nameOf(right)}, which says nothing. Compare values of one kind`,
    );
}

/** What the named functions give; `fromJSON` and `case` apart. */
const results: Readonly<Record<string, ValueType>> = {
  contains: truth,
  startswith: truth,
  endswith: truth,
  success: truth,
  failure: truth,
  always: truth,
  cancelled: truth,
  format: text,
  join: text,
  tojson: text,
  hashfiles: text,
};

function inferCall(expr: FunctionCall, by: Inference): ValueType {
  const name = expr.functionName.lexeme.toLowerCase();
  const types = expr.args.map((arg) => inferType(arg, by));
  if (name === "fromjson") return inferJson(expr, types, by);
  if (["startswith", "endswith", "format", "hashfiles"].includes(name)) {
    const wrong = types.find(isStructure);
    if (wrong !== undefined)
      by.report(
        `${expr.functionName.lexeme}() takes texts, and is given ${nameOf(wrong)}. Use toJSON() or a field of it`,
      );
  }
  const [first] = types;
  if (name === "contains" && first?.kind === "object")
    by.report(
      `${expr.functionName.lexeme}() looks into a list or a text, and is given an object. Use toJSON() or a field of it`,
    );
  if (name === "format") checkFormat(expr, by);
  return results[name] ?? anything;
}

function inferJson(expr: FunctionCall, types: readonly ValueType[], by: Inference): ValueType {
  const [argument] = expr.args;
  const json = argument instanceof Literal && types[0]?.kind === "string" ? literalOf(argument) : undefined;
  if (json === undefined) {
    if (types[0] !== undefined && isStructure(types[0]))
      by.report(`fromJSON() takes a text, and is given ${nameOf(types[0])}`);
    return anything;
  }
  try {
    return typeOfJson(JSON.parse(json));
  } catch {
    by.report(`"${json}" is no JSON, so fromJSON() fails the job. Correct the text`);
    return anything;
  }
}

function checkFormat(expr: FunctionCall, by: Inference): void {
  const [first, ...values] = expr.args;
  const template = first instanceof Literal ? literalOf(first) : undefined;
  if (template === undefined) return;
  const used = new Set(
    [...template.replaceAll(/\{\{|\}\}/g, "").matchAll(/\{(\d+)\}/g)].map((match) => Number(match[1])),
  );
  const missing = [...used].find((index) => index >= values.length);
  if (missing !== undefined)
    by.report(`format() has no value for {${missing}}: ${values.length} ${values.length === 1 ? "is" : "are"} given`);
  const unused = values.findIndex((_value, index) => !used.has(index));
  if (unused >= 0) by.report(`format() does not use its value {${unused}}. Write it in the text or leave it out`);
}
