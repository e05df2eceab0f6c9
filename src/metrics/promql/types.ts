/** Every expression has a type before it is evaluated, so that evaluation cannot meet a wrong one. */
import { comparisonOperators, type Expression, setOperators, type ValueType } from "./ast.ts";
import { badQuery } from "./errors.ts";
import { signatures } from "./functions-table.ts";

export function typeOf(expression: Expression): ValueType {
  switch (expression.kind) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "selector":
    case "aggregate":
      return "vector";
    case "matrix":
    case "subquery":
      return "matrix";
    case "negate":
      return typeOf(expression.inner);
    case "binary":
      return typeOf(expression.left) === "scalar" && typeOf(expression.right) === "scalar" ? "scalar" : "vector";
    case "call":
      return signatures.get(expression.name)?.result ?? "vector";
  }
}

/** @throws PromqlError at the first expression whose types do not fit */
export function checkTypes(expression: Expression): void {
  switch (expression.kind) {
    case "number":
    case "string":
    case "selector":
    case "matrix":
      return;
    case "subquery":
      expect(expression.inner, ["vector", "scalar"], "a subquery");
      return;
    case "negate":
      expect(expression.inner, ["vector", "scalar"], "a minus sign");
      return;
    case "aggregate":
      if (expression.parameter !== undefined) {
        const wanted = expression.operator === "count_values" ? "string" : "scalar";
        expect(expression.parameter, [wanted], `the first argument of ${expression.operator}`);
      }
      expect(expression.inner, ["vector"], expression.operator);
      return;
    case "call":
      checkCall(expression);
      return;
    case "binary":
      checkBinary(expression);
  }
}

function checkCall(call: Extract<Expression, { kind: "call" }>): void {
  const signature = signatures.get(call.name);
  if (signature === undefined) throw badQuery(`There is no function "${call.name}" here`);
  const least = signature.args.length - (signature.optional ?? 0);
  if (call.args.length < least || call.args.length > signature.args.length) {
    const wanted = least === signature.args.length ? String(least) : `${least} to ${signature.args.length}`;
    throw badQuery(`${call.name} takes ${wanted} arguments: found ${call.args.length}`);
  }
  call.args.forEach((arg, index) => {
    expect(arg, [signature.args[index] ?? "vector"], `argument ${index + 1} of ${call.name}`);
  });
}

function checkBinary(binary: Extract<Expression, { kind: "binary" }>): void {
  expect(binary.left, ["vector", "scalar"], `the left side of ${binary.operator}`);
  expect(binary.right, ["vector", "scalar"], `the right side of ${binary.operator}`);
  const scalars = [binary.left, binary.right].filter((side) => typeOf(side) === "scalar").length;
  if (isSet(binary.operator) && scalars > 0) throw badQuery(`"${binary.operator}" works between vectors only`);
  if (isComparison(binary.operator) && scalars === 2 && !binary.bool) {
    throw badQuery(`A comparison of two scalars needs bool: write ${binary.operator} bool`);
  }
}

export function isComparison(operator: string): boolean {
  return (comparisonOperators as readonly string[]).includes(operator);
}

function isSet(operator: string): boolean {
  return (setOperators as readonly string[]).includes(operator);
}

function expect(expression: Expression, wanted: readonly ValueType[], place: string): void {
  checkTypes(expression);
  const found = typeOf(expression);
  if (!wanted.includes(found)) throw badQuery(`Expected ${wanted.join(" or ")} for ${place}: found ${found}`);
}
