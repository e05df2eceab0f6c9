/** Evaluates expressions of the expr language. Total: bounded work, and errors are data with a column. */
import { deepEqual, isObject, linearPattern } from "#lib";
import { builtins, predicateBuiltins } from "./builtins.ts";
import { ExpressionFault, type BinaryOperator, type Node } from "./syntax.ts";
import { add, compare, DurationValue, isNil, negate, subtract, typeName } from "./values.ts";

export type ExpressionFunction = (...args: readonly unknown[]) => unknown;

export interface ExpressionEnvironment {
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Take precedence over the built-in ones. They throw plain errors, whose message is shown. */
  readonly functions?: Readonly<Record<string, ExpressionFunction>>;
}

export type Evaluated =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly message: string; readonly column: number };

const maximumSteps = 1_000_000;
const maximumRange = 100_000;

/** What a predicate sees of the element it is at. */
interface Scope {
  readonly element?: { readonly value: unknown; readonly index: number; readonly acc: unknown };
  readonly names: Readonly<Record<string, unknown>>;
}

/** The value of `node`, or why it has none. Numbers, texts, booleans, null, arrays and plain objects in and out. */
export function evaluateExpression(node: Node, environment: ExpressionEnvironment): Evaluated {
  try {
    const value = new Evaluation(environment).value(node, { names: environment.variables ?? {} });
    return { kind: "value", value };
  } catch (error) {
    if (error instanceof ExpressionFault) return { kind: "error", message: error.message, column: error.at + 1 };
    throw error;
  }
}

class Evaluation {
  readonly #functions: Readonly<Record<string, ExpressionFunction>>;
  #steps = 0;

  constructor(environment: ExpressionEnvironment) {
    this.#functions = environment.functions ?? {};
  }

  value(node: Node, scope: Scope): unknown {
    if (++this.#steps > maximumSteps) throw new ExpressionFault("expression takes too many steps", node.at);
    switch (node.kind) {
      case "literal":
        return node.value;
      case "name":
        if (Object.hasOwn(scope.names, node.name)) return scope.names[node.name];
        throw new ExpressionFault(`unknown name ${node.name}`, node.at);
      case "element":
        return element(node, scope);
      case "unary":
        return this.#unary(node, scope);
      case "binary":
        return this.#binary(node, scope);
      case "choice":
        return this.value(this.#truth(node.condition, scope) ? node.yes : node.no, scope);
      case "let": {
        const names = { ...scope.names, [node.name]: this.value(node.value, scope) };
        return this.value(node.body, { ...scope, names });
      }
      case "member":
        return this.#member(node, scope);
      case "slice":
        return this.#slice(node, scope);
      case "call":
        return this.#call(node, scope);
      case "array":
        return node.items.map((item) => this.value(item, scope));
      case "map":
        return Object.fromEntries(
          node.entries.map(([key, value]) => [String(this.value(key, scope)), this.value(value, scope)]),
        );
    }
  }

  #truth(node: Node, scope: Scope): boolean {
    const value = this.value(node, scope);
    if (typeof value === "boolean") return value;
    throw new ExpressionFault(`expected bool, but got ${typeName(value)}`, node.at);
  }

  #unary(node: Extract<Node, { kind: "unary" }>, scope: Scope): unknown {
    if (node.operator === "not") return !this.#truth(node.operand, scope);
    const value = this.value(node.operand, scope);
    return this.#guard(node, () => (node.operator === "-" ? negate(value) : add(0, value)));
  }

  #binary(node: Extract<Node, { kind: "binary" }>, scope: Scope): unknown {
    const { operator, left, right } = node;
    if (operator === "and") return this.#truth(left, scope) && this.#truth(right, scope);
    if (operator === "or") return this.#truth(left, scope) || this.#truth(right, scope);
    const a = this.value(left, scope);
    if (operator === "??") return isNil(a) ? this.value(right, scope) : a;
    const b = this.value(right, scope);
    if (operator === "matches") this.#steps += matchCost(a, b);
    const result = this.#guard(node, () => operate(operator, a, b));
    return node.negated ? result !== true : result;
  }

  #member(node: Extract<Node, { kind: "member" }>, scope: Scope): unknown {
    const object = this.value(node.object, scope);
    if (isNil(object) && node.optional) return null;
    const key = this.value(node.key, scope);
    return this.#guard(node, () => fetch(object, key));
  }

  #slice(node: Extract<Node, { kind: "slice" }>, scope: Scope): unknown {
    const object = this.value(node.object, scope);
    if (!Array.isArray(object) && typeof object !== "string") {
      throw new ExpressionFault(`cannot slice ${typeName(object)}`, node.at);
    }
    const bound = (limit: Node | undefined, otherwise: number): number => {
      const value = limit === undefined ? otherwise : this.value(limit, scope);
      if (typeof value === "number" && Number.isInteger(value)) return value;
      throw new ExpressionFault(`slice bound must be an integer, but got ${typeName(value)}`, node.at);
    };
    return object.slice(bound(node.from, 0), bound(node.to, object.length));
  }

  #call(node: Extract<Node, { kind: "call" }>, scope: Scope): unknown {
    const own = Object.hasOwn(this.#functions, node.name) ? this.#functions[node.name] : undefined;
    const plain = own ?? (Object.hasOwn(builtins, node.name) ? builtins[node.name] : undefined);
    if (plain !== undefined) {
      const args = node.args.map((arg) => this.value(arg, scope));
      return this.#guard(node, () => plain(...args));
    }
    const withPredicate = Object.hasOwn(predicateBuiltins, node.name) ? predicateBuiltins[node.name] : undefined;
    if (withPredicate === undefined) throw new ExpressionFault(`unknown function ${node.name}`, node.at);
    const [list, predicate, ...rest] = node.args;
    const items = list === undefined ? undefined : this.value(list, scope);
    if (!Array.isArray(items)) {
      throw new ExpressionFault(`${node.name} needs an array, but got ${typeName(items)}`, node.at);
    }
    const apply = (value: unknown, index: number, acc: unknown): unknown =>
      predicate === undefined ? value : this.value(predicate, { ...scope, element: { value, index, acc } });
    const others = rest.map((arg) => this.value(arg, scope));
    return this.#guard(node, () => withPredicate(items as unknown[], apply, others));
  }

  /** Gives errors of operations the place of their node. */
  #guard(node: Node, operation: () => unknown): unknown {
    try {
      return operation();
    } catch (error) {
      if (error instanceof ExpressionFault) throw error;
      throw new ExpressionFault(error instanceof Error ? error.message : String(error), node.at);
    }
  }
}

function element(node: Extract<Node, { kind: "element" }>, scope: Scope): unknown {
  if (scope.element === undefined) throw new ExpressionFault("# stands outside of a predicate", node.at);
  if (node.name === "index") return scope.element.index;
  return node.name === "acc" ? scope.element.acc : scope.element.value;
}

function fetch(object: unknown, key: unknown): unknown {
  if (Array.isArray(object) || typeof object === "string") {
    if (typeof key !== "number" || !Number.isInteger(key)) {
      throw new Error(`cannot fetch ${String(key)} from ${typeName(object)}`);
    }
    const index = key < 0 ? object.length + key : key;
    if (index < 0 || index >= object.length) {
      throw new Error(`index out of range: ${key} (array length is ${object.length})`);
    }
    return object[index] as unknown;
  }
  if (isObject(object)) return Object.hasOwn(object, String(key)) ? object[String(key)] : null;
  throw new Error(`cannot fetch ${String(key)} from ${typeName(object)}`);
}

/** Following a pattern takes text × pattern: in steps of about the cost of a node. */
function matchCost(value: unknown, pattern: unknown): number {
  return (String(value).length * String(pattern).length) / 20;
}

function operate(operator: Exclude<BinaryOperator, "and" | "or" | "??">, a: unknown, b: unknown): unknown {
  switch (operator) {
    case "==":
      return equal(a, b);
    case "!=":
      return !equal(a, b);
    case "<":
    case ">":
    case "<=":
    case ">=":
      return compare(operator, a, b);
    case "in":
      return contained(a, b);
    case "matches":
      return linearPattern(text(b, operator)).test(text(a, operator));
    case "contains":
      return text(a, operator).includes(text(b, operator));
    case "startsWith":
      return text(a, operator).startsWith(text(b, operator));
    case "endsWith":
      return text(a, operator).endsWith(text(b, operator));
    case "..":
      return range(number(a, operator), number(b, operator));
    case "+":
      return add(a, b);
    case "-":
      return subtract(a, b);
    case "*":
      return a instanceof DurationValue ? new DurationValue(a.ms * number(b, operator)) : arithmetic(operator, a, b);
    case "/":
    case "%":
    case "**":
      return arithmetic(operator, a, b);
  }
}

function arithmetic(operator: "*" | "/" | "%" | "**", left: unknown, right: unknown): number {
  const a = number(left, operator);
  const b = number(right, operator);
  if (operator === "*") return a * b;
  if (operator === "/") return a / b;
  if (operator === "**") return a ** b;
  if (!Number.isInteger(a) || !Number.isInteger(b)) throw new Error("operator % needs integers");
  if (b === 0) throw new Error("integer divide by zero");
  return a % b;
}

/** NaN equals nothing, also not itself (IEEE 754): Go's rule and the reason why conditions on no data are false. */
function equal(a: unknown, b: unknown): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (typeof a === "number" && typeof b === "number") return a === b;
  if (a instanceof Temporal.Instant && b instanceof Temporal.Instant) return a.equals(b);
  if (a instanceof DurationValue && b instanceof DurationValue) return a.ms === b.ms;
  return deepEqual(a, b);
}

function contained(item: unknown, container: unknown): boolean {
  if (isNil(container)) return false;
  if (Array.isArray(container)) return container.some((other) => equal(item, other));
  if (isObject(container)) return Object.hasOwn(container, String(item));
  throw new Error(`operator "in" not defined on ${typeName(container)}`);
}

function range(from: number, to: number): number[] {
  if (!Number.isInteger(from) || !Number.isInteger(to)) throw new Error("range needs integers");
  const length = Math.max(0, to - from + 1);
  if (length > maximumRange) throw new Error(`range is longer than ${maximumRange}`);
  return Array.from({ length }, (_, index) => from + index);
}

function number(value: unknown, operator: string): number {
  if (typeof value === "number") return value;
  throw new Error(`operator ${operator} needs numbers, but got ${typeName(value)}`);
}

function text(value: unknown, operator: string): string {
  if (typeof value === "string") return value;
  throw new Error(`operator ${operator} needs strings, but got ${typeName(value)}`);
}
