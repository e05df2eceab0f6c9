/** The expressions of a file, each parsed and with its own place. */
import { data, Lexer, Parser, type Expr } from "@actions/expressions";
import {
  Binary,
  ContextAccess,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Logical,
  Unary,
} from "@actions/expressions/ast";
import { splitTemplate, type Position, type YamlNode } from "#workflows";
import type { LintDocument } from "./document.ts";

const contexts = "github forgejo forge gitea env vars secrets needs matrix strategy inputs steps job jobs runner".split(
  " ",
);
const functions = ["success", "failure", "always", "cancelled", "hashFiles"].map((name) => ({
  name,
  description: "",
  minArgs: 0,
  maxArgs: 255,
}));

export interface PlacedExpression {
  readonly source: string;
  readonly at: Position;
  /** Absent when the text is no expression; the check of the schema says so. */
  readonly tree?: Expr;
}

/** `text` is without the fences. */
function parseExpression(text: string): Expr | undefined {
  try {
    return new Parser(new Lexer(text).lex().tokens, contexts, functions).parse();
  } catch {
    return undefined;
  }
}

/** What stands between `${{` and `}}` in a scalar; none when a fence is not closed. */
export function expressionsIn(document: LintDocument, node: YamlNode | undefined): readonly PlacedExpression[] {
  if (node?.kind !== "scalar" || typeof node.value !== "string" || !node.value.includes("${{")) return [];
  const places = fencePlaces(document, node.start, node.end);
  try {
    return splitTemplate(node.value)
      .filter((segment) => segment.kind === "expression")
      .map((segment, index) => {
        const tree = parseExpression(segment.expression);
        const placed = { source: segment.expression, at: places[index] ?? node.start };
        return tree === undefined ? placed : { ...placed, tree };
      });
  } catch {
    return [];
  }
}

/** An `if`, which needs no fences. */
export function conditionOf(document: LintDocument, node: YamlNode | undefined): PlacedExpression | undefined {
  if (node?.kind !== "scalar" || node.value === null) return undefined;
  const text = String(node.value);
  const [only] = expressionsIn(document, node);
  if (only !== undefined) return only;
  const tree = parseExpression(text.trim());
  return { source: text.trim(), at: node.start, ...(tree === undefined ? {} : { tree }) };
}

/** The raw text has each `${{` that the value has, however the scalar is written. */
function fencePlaces(document: LintDocument, start: Position, end: Position): readonly Position[] {
  const places: Position[] = [];
  for (let line = start.line; line <= end.line; line++) {
    const text = document.lines[line - 1] ?? "";
    const from = line === start.line ? start.column - 1 : 0;
    for (let at = text.indexOf("${{", from); at >= 0; at = text.indexOf("${{", at + 3)) {
      places.push({ line, column: at + 1 });
    }
  }
  return places;
}

/** All nodes of the expression, the outermost first. */
export function* walk(expr: Expr): Iterable<Expr> {
  yield expr;
  for (const child of children(expr)) yield* walk(child);
}

function children(expr: Expr): readonly Expr[] {
  if (expr instanceof Unary) return [expr.expr];
  if (expr instanceof Binary) return [expr.left, expr.right];
  if (expr instanceof Logical) return expr.args;
  if (expr instanceof Grouping) return [expr.group];
  if (expr instanceof FunctionCall) return expr.args;
  if (expr instanceof IndexAccess) return [expr.expr, expr.index];
  return [];
}

export function calls(expr: Expr, name: string): readonly FunctionCall[] {
  return [...walk(expr)].filter(
    (node): node is FunctionCall =>
      node instanceof FunctionCall && node.functionName.lexeme.toLowerCase() === name.toLowerCase(),
  );
}

/**
 * The contexts an expression reads, each as its longest path in lower case: `github.event.commits.*.message`. What is
 * chosen by another expression, or by `[0]`, is `*`. With `flows`, only those whose value can come out of it: not what
 * is compared, and not what stands in the condition of an `&&`.
 */
export function readsOf(expr: Expr, flows = false): readonly string[] {
  const paths: string[] = [];
  collectReads(expr, flows, paths);
  return paths;
}

const swallowing: ReadonlySet<string> = new Set([
  "contains",
  "startswith",
  "endswith",
  "success",
  "failure",
  "always",
  "cancelled",
  "hashfiles",
]);

function collectReads(expr: Expr, flows: boolean, paths: string[]): void {
  const path = pathOf(expr);
  if (path !== undefined) {
    paths.push(path);
    if (!flows) for (const index of indexes(expr)) collectReads(index, flows, paths);
    return;
  }
  if (flows) {
    if (expr instanceof Binary || expr instanceof Unary) return;
    if (expr instanceof FunctionCall && swallowing.has(expr.functionName.lexeme.toLowerCase())) return;
    if (expr instanceof Logical && expr.operator.lexeme === "&&") {
      const last = expr.args.at(-1);
      if (last !== undefined) collectReads(last, flows, paths);
      return;
    }
  }
  for (const child of children(expr)) collectReads(child, flows, paths);
}

function* indexes(expr: Expr): Iterable<Expr> {
  if (!(expr instanceof IndexAccess)) return;
  if (!(expr.index instanceof Literal)) yield expr.index;
  yield* indexes(expr.expr);
}

/** `a.b['c']` as `a.b.c`; undefined for what is not a path from a context. */
export function pathOf(expr: Expr): string | undefined {
  if (expr instanceof ContextAccess) {
    const name = expr.name.lexeme.toLowerCase();
    return name === "forgejo" || name === "forge" || name === "gitea" ? "github" : name;
  }
  if (!(expr instanceof IndexAccess)) return undefined;
  const base = pathOf(expr.expr);
  if (base === undefined) return undefined;
  const { index } = expr;
  const key = index instanceof Literal && index.literal.kind === data.Kind.String ? index.literal.coerceString() : "*";
  return `${base}.${key.toLowerCase()}`;
}

/** A literal's text, or undefined. */
export function literalOf(expr: Expr): string | undefined {
  return expr instanceof Literal ? expr.literal.coerceString() : undefined;
}

/** The parts that an expression's value can be: either side of an `||`, the end of an `&&`. */
export function outcomesOf(expr: Expr): readonly Expr[] {
  if (expr instanceof Grouping) return outcomesOf(expr.group);
  if (!(expr instanceof Logical)) return [expr];
  const parts = expr.operator.lexeme === "&&" ? expr.args.slice(-1) : expr.args;
  return parts.flatMap(outcomesOf);
}
