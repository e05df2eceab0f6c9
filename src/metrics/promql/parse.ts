/**
 * Text to typed expression. The grammar is Prometheus' own (`@prometheus-io/lezer-promql`); it is tolerant and untyped,
 * so what is wrong is found here: error nodes first, then types.
 */
import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";
import { createMatcher, type Matcher, type MatchOperator } from "../labels.ts";
import type { Aggregate, Binary, BinaryOperator, Expression, Selector, Shift, VectorMatching } from "./ast.ts";
import { badQuery } from "./errors.ts";
import { durationMs, numberOf, stringOf } from "./literals.ts";
import { checkTypes } from "./types.ts";

const maxQueryLength = 100_000;

/** @throws PromqlError with the position of what is wrong */
export function parsePromql(text: string): Expression {
  if (text.length > maxQueryLength) throw badQuery(`The query is over ${maxQueryLength} characters long`);
  if (text.trim() === "") throw badQuery("The query is empty");
  const tree = parser.parse(text);
  tree.iterate({
    enter(node) {
      if (node.type.isError)
        throw badQuery(`Cannot read the query at character ${node.from + 1}: unexpected ${near(text, node.from)}`);
    },
  });
  const root = tree.topNode.firstChild;
  if (root === null) throw badQuery("The query is empty");
  const expression = new Reader(text).expression(root);
  checkTypes(expression);
  return expression;
}

function near(text: string, at: number): string {
  return at >= text.length ? "end of the query" : JSON.stringify(text.slice(at, at + 20));
}

const noShift: Shift = { offsetMs: 0, at: undefined };

class Reader {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  expression(node: SyntaxNode): Expression {
    switch (node.name) {
      case "ParenExpr":
        return this.expression(child(node, 0));
      case "NumberDurationLiteral":
      case "NumberDurationLiteralInDurationContext":
        return { kind: "number", value: this.#number(node) };
      case "StringLiteral":
        return { kind: "string", value: stringOf(this.#source(node)) };
      case "UnaryExpr":
        return this.#unary(node);
      case "VectorSelector":
        return this.#selector(node);
      case "MatrixSelector":
        return this.#matrix(node);
      case "SubqueryExpr":
        return this.#subquery(node);
      case "OffsetExpr":
        return this.#shifted(child(node, 0), (shift) => ({ ...shift, offsetMs: this.#offset(node) }));
      case "StepInvariantExpr":
        return this.#shifted(child(node, 0), (shift) => ({ ...shift, at: this.#at(node) }));
      case "BinaryExpr":
        return this.#binary(node);
      case "AggregateExpr":
        return this.#aggregate(node);
      case "FunctionCall":
        return this.#call(node);
      default:
        throw badQuery(`"${node.name}" is not supported in a query (character ${node.from + 1})`);
    }
  }

  #source(node: SyntaxNode): string {
    return this.#text.slice(node.from, node.to);
  }

  #number(node: SyntaxNode): number {
    const value = numberOf(this.#source(node));
    if (value === undefined) throw badQuery(`"${this.#source(node)}" is not a number`);
    return value;
  }

  #duration(node: SyntaxNode): number {
    const value = durationMs(this.#source(node));
    if (value === undefined) throw badQuery(`"${this.#source(node)}" is not a duration, e.g. 5m`);
    return value;
  }

  #unary(node: SyntaxNode): Expression {
    const inner = this.expression(child(node, 1));
    return this.#source(child(node, 0)) === "-" ? { kind: "negate", inner } : inner;
  }

  #selector(node: SyntaxNode): Selector {
    const matchers: Matcher[] = [];
    for (const part of children(node)) {
      if (part.name === "Identifier") matchers.push(createMatcher("__name__", "=", this.#source(part)));
      if (part.name === "LabelMatchers") matchers.push(...children(part).map((matcher) => this.#matcher(matcher)));
    }
    if (matchers.every((matcher) => matcher.matches(""))) {
      throw badQuery(
        `The selector "${this.#source(node)}" must hold at least one matcher that does not match the empty string`,
      );
    }
    return { kind: "selector", matchers, ...noShift };
  }

  #matcher(node: SyntaxNode): Matcher {
    if (node.name === "QuotedLabelName") return createMatcher("__name__", "=", stringOf(this.#source(node)));
    const nameNode = child(node, 0);
    const name = nameNode.name === "QuotedLabelName" ? stringOf(this.#source(nameNode)) : this.#source(nameNode);
    const operator = this.#source(child(node, 1)) as MatchOperator;
    const value = stringOf(this.#source(child(node, 2)));
    try {
      return createMatcher(name, operator, value);
    } catch (error) {
      throw badQuery(`"${value}" is not a regular expression: ${error instanceof Error ? error.message : ""}`);
    }
  }

  #matrix(node: SyntaxNode): Expression {
    const rangeMs = this.#duration(child(node, 1));
    if (rangeMs <= 0) throw badQuery(`The range of "${this.#source(node)}" must be above 0`);
    const selector = this.expression(child(node, 0));
    if (selector.kind !== "selector") throw badQuery(`Only a selector can have a range: "${this.#source(node)}"`);
    return { kind: "matrix", selector, rangeMs };
  }

  #subquery(node: SyntaxNode): Expression {
    const durations = children(node).slice(1);
    const rangeMs = this.#duration(child(node, 1));
    const stepMs = durations[1] === undefined ? undefined : this.#duration(durations[1]);
    return { kind: "subquery", inner: this.expression(child(node, 0)), rangeMs, stepMs, ...noShift };
  }

  #shifted(node: SyntaxNode, change: (shift: Shift) => Shift): Expression {
    const inner = this.expression(node);
    if (inner.kind === "selector" || inner.kind === "subquery") return { ...inner, ...change(inner) };
    if (inner.kind === "matrix") return { ...inner, selector: { ...inner.selector, ...change(inner.selector) } };
    throw badQuery(`offset and @ follow a selector or a subquery only: "${this.#source(node)}"`);
  }

  #offset(node: SyntaxNode): number {
    const parts = children(node);
    const sign = parts.some((part) => part.name === "Sub") ? -1 : 1;
    const last = parts.at(-1);
    return last === undefined ? 0 : sign * this.#duration(last);
  }

  #at(node: SyntaxNode): Shift["at"] {
    const text = this.#source(node);
    const after = text.slice(text.lastIndexOf("@") + 1).replaceAll(/[\s()]/g, "");
    if (after === "start" || after === "end") return { kind: after };
    const seconds = numberOf(after);
    if (seconds === undefined || !Number.isFinite(seconds)) throw badQuery(`"@ ${after}" is not a time`);
    return { kind: "time", timeMs: seconds * 1000 };
  }

  #binary(node: SyntaxNode): Expression {
    const parts = children(node);
    const first = parts[0];
    const last = parts.at(-1);
    const operator = parts[1];
    if (first === undefined || last === undefined || operator === undefined) throw badQuery("Incomplete expression");
    const clause = parts.find((part) => part.name === "MatchingModifierClause");
    // The grammar takes the sign into a literal, but a power binds tighter than a sign: -2 ^ 2 is -4.
    const left = this.expression(first);
    const signed = first.name === "NumberDurationLiteral" && this.#source(first).startsWith("-");
    const outer = signed && this.#source(operator) === "^" && left.kind === "number";
    const binary: Binary = {
      kind: "binary",
      operator: this.#source(operator).toLowerCase() as BinaryOperator,
      left: outer ? { kind: "number", value: -left.value } : left,
      right: this.expression(last),
      bool: parts.some((part) => part.name === "BoolModifier"),
      matching: this.#matching(clause),
    };
    return outer ? { kind: "negate", inner: binary } : binary;
  }

  #matching(clause: SyntaxNode | undefined): VectorMatching {
    let mode: VectorMatching["mode"] = "ignoring";
    let group: VectorMatching["group"];
    let labels: readonly string[] = [];
    let include: readonly string[] = [];
    for (const part of clause === undefined ? [] : children(clause)) {
      if (part.name === "On") mode = "on";
      if (part.name === "GroupLeft") group = "left";
      if (part.name === "GroupRight") group = "right";
      if (part.name !== "GroupingLabels") continue;
      if (group === undefined) labels = this.#labelNames(part);
      else include = this.#labelNames(part);
    }
    return { mode, labels, group, include };
  }

  #labelNames(node: SyntaxNode): string[] {
    return children(node).map((name) =>
      name.name === "LabelName" ? this.#source(name) : stringOf(this.#source(name)),
    );
  }

  #aggregate(node: SyntaxNode): Aggregate {
    const parts = children(node);
    const modifier = parts.find((part) => part.name === "AggregateModifier");
    const body = parts.find((part) => part.name === "FunctionCallBody");
    const args = body === undefined ? [] : children(body).map((arg) => this.expression(arg));
    const operator = this.#source(child(node, 0)).toLowerCase();
    const wanted = ["topk", "bottomk", "quantile", "count_values"].includes(operator) ? 2 : 1;
    const inner = args.at(-1);
    if (args.length !== wanted || inner === undefined) {
      throw badQuery(`${operator} takes ${wanted === 1 ? "one argument" : "two arguments"}: found ${args.length}`);
    }
    const mode = modifier !== undefined && children(modifier)[0]?.name === "Without" ? "without" : "by";
    const list = modifier === undefined ? undefined : children(modifier).find((part) => part.name === "GroupingLabels");
    const labels = list === undefined ? [] : this.#labelNames(list);
    return {
      kind: "aggregate",
      operator,
      grouping: { mode, labels },
      parameter: wanted === 2 ? args[0] : undefined,
      inner,
    };
  }

  #call(node: SyntaxNode): Expression {
    const name = this.#source(child(node, 0));
    const body = children(node).find((part) => part.name === "FunctionCallBody");
    const args = body === undefined ? [] : children(body).map((arg) => this.expression(arg));
    return { kind: "call", name, args };
  }
}

function children(node: SyntaxNode): SyntaxNode[] {
  const list: SyntaxNode[] = [];
  for (let next = node.firstChild; next !== null; next = next.nextSibling) list.push(next);
  return list;
}

function child(node: SyntaxNode, index: number): SyntaxNode {
  const found = children(node)[index];
  if (found === undefined) throw badQuery(`Incomplete expression at character ${node.from + 1}`);
  return found;
}
