/** A Pratt parser for the expr language. Total: whatever the text, it returns a tree or located problems. */
import type { Checked } from "#lib";
import { lex, type Token } from "./lex.ts";
import { bindings, negatable, words } from "./operators.ts";
import { ExpressionFault, type Node } from "./syntax.ts";

const maximumLength = 10_000;
const maximumDepth = 100;

/** Reads one expression; problems have the column in `at`, and no file. */
export function parseExpression(source: string): Checked<Node> {
  try {
    if (source.length > maximumLength) {
      throw new ExpressionFault(`expression is longer than ${maximumLength} characters`, 0);
    }
    return { value: new Parser(lex(source)).whole(), problems: [] };
  } catch (fault) {
    if (!(fault instanceof ExpressionFault)) throw fault;
    const at = { file: "", line: 1, column: fault.at + 1 };
    return { problems: [{ path: "", message: fault.message, at }] };
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Node {
    const node = this.#expression();
    if (this.#token.kind !== "end") throw this.#unexpected();
    return node;
  }

  get #token(): Token {
    // lex ends with an `end` token and nothing moves past it
    return this.#tokens[this.#index] as Token;
  }

  #unexpected(): ExpressionFault {
    const { kind, text, at } = this.#token;
    return new ExpressionFault(kind === "end" ? "unexpected end of expression" : `unexpected ${text}`, at);
  }

  #take(): Token {
    const token = this.#token;
    if (token.kind !== "end") this.#index++;
    return token;
  }

  #is(text: string): boolean {
    return (this.#token.kind === "operator" || this.#token.kind === "name") && this.#token.text === text;
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#index++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw this.#unexpected();
  }

  /** A whole expression with `let`, `|` and `?:`, which bind loosest. */
  #expression(): Node {
    if (++this.#depth > maximumDepth) throw new ExpressionFault("expression is nested too deeply", this.#token.at);
    try {
      return this.#is("let") ? this.#let() : this.#choice();
    } finally {
      this.#depth--;
    }
  }

  #let(): Node {
    const { at } = this.#take();
    const name = this.#name();
    this.#expect("=");
    const value = this.#expression();
    this.#expect(";");
    return { kind: "let", at, name, value, body: this.#expression() };
  }

  #name(): string {
    const token = this.#token;
    if (token.kind !== "name" || words.has(token.text)) throw this.#unexpected();
    this.#index++;
    return token.text;
  }

  #choice(): Node {
    const condition = this.#pipe();
    const { at } = this.#token;
    if (this.#accept("?:")) return { kind: "choice", at, condition, yes: condition, no: this.#expression() };
    if (!this.#accept("?")) return condition;
    const yes = this.#expression();
    this.#expect(":");
    return { kind: "choice", at, condition, yes, no: this.#expression() };
  }

  #pipe(): Node {
    let left = this.#binary(1);
    while (this.#is("|")) {
      this.#take();
      const { at } = this.#token;
      const name = this.#name();
      const args = this.#is("(") ? this.#arguments() : [];
      left = this.#postfix({ kind: "call", at, name, args: [left, ...args] });
    }
    return left;
  }

  #binary(minimum: number): Node {
    let left = this.#unary();
    for (;;) {
      const { at } = this.#token;
      const negated = this.#is("not") && negatable.has(this.#tokens[this.#index + 1]?.text ?? "");
      const sign = negated ? this.#tokens[this.#index + 1] : this.#token;
      const binding = sign?.kind === "operator" || sign?.kind === "name" ? bindings[sign.text] : undefined;
      if (binding === undefined || binding.power < minimum) return left;
      this.#index += negated ? 2 : 1;
      const right = this.#deeper(binding.right === true ? binding.power : binding.power + 1);
      left = { kind: "binary", at, operator: binding.operator, negated, left, right };
    }
  }

  #deeper(minimum: number): Node {
    if (++this.#depth > maximumDepth) throw new ExpressionFault("expression is nested too deeply", this.#token.at);
    try {
      return this.#binary(minimum);
    } finally {
      this.#depth--;
    }
  }

  #unary(): Node {
    const { at } = this.#token;
    if (this.#accept("not") || this.#accept("!")) {
      return { kind: "unary", at, operator: "not", operand: this.#deeper(50) };
    }
    if (this.#accept("-")) return { kind: "unary", at, operator: "-", operand: this.#deeper(90) };
    if (this.#accept("+")) return { kind: "unary", at, operator: "+", operand: this.#deeper(90) };
    return this.#postfix(this.#primary());
  }

  #primary(): Node {
    const token = this.#token;
    const { at } = token;
    if (token.kind === "number" || token.kind === "string") {
      this.#index++;
      return { kind: "literal", at, value: token.value };
    }
    if (token.kind === "name") return this.#word();
    if (this.#accept("(")) {
      const inner = this.#expression();
      this.#expect(")");
      return inner;
    }
    if (this.#is("[")) return { kind: "array", at, items: this.#list("[", "]") };
    if (this.#is("{")) return this.#map();
    if (this.#accept("#")) return this.#element(at);
    // `.name` inside a predicate is short for `#.name`.
    if (this.#is(".")) return { kind: "element", at, name: "" };
    throw this.#unexpected();
  }

  #element(at: number): Node {
    const token = this.#token;
    const glued = token.kind === "name" && token.at === at + 1;
    if (!glued || (token.text !== "index" && token.text !== "acc")) return { kind: "element", at, name: "" };
    this.#index++;
    return { kind: "element", at, name: token.text };
  }

  #word(): Node {
    const { at } = this.#token;
    const name = this.#name();
    if (name === "true" || name === "false") return { kind: "literal", at, value: name === "true" };
    if (name === "nil") return { kind: "literal", at, value: null };
    return this.#is("(") ? { kind: "call", at, name, args: this.#arguments() } : { kind: "name", at, name };
  }

  #arguments(): Node[] {
    this.#expect("(");
    const args: Node[] = [];
    while (!this.#accept(")")) {
      args.push(this.#is("{") ? this.#predicateOrMap() : this.#expression());
      if (!this.#is(")")) this.#expect(",");
    }
    return args;
  }

  /** `{ # > 1 }` is a predicate unless it reads as a map (`{a: 1}`, `{}`). */
  #predicateOrMap(): Node {
    const [first, second] = [this.#tokens[this.#index + 1], this.#tokens[this.#index + 2]];
    const isMap = first?.text === "}" || (first?.kind !== "operator" && second?.text === ":");
    if (isMap) return this.#expression();
    this.#expect("{");
    const body = this.#expression();
    this.#expect("}");
    return body;
  }

  #list(open: string, close: string): Node[] {
    this.#expect(open);
    const items: Node[] = [];
    while (!this.#accept(close)) {
      items.push(this.#expression());
      if (!this.#is(close)) this.#expect(",");
    }
    return items;
  }

  #map(): Node {
    const { at } = this.#take();
    const entries: (readonly [Node, Node])[] = [];
    while (!this.#accept("}")) {
      const key = this.#key();
      this.#expect(":");
      entries.push([key, this.#expression()]);
      if (!this.#is("}")) this.#expect(",");
    }
    return { kind: "map", at, entries };
  }

  #key(): Node {
    const token = this.#take();
    const { at } = token;
    if (token.kind === "string" || token.kind === "number") return { kind: "literal", at, value: String(token.value) };
    if (token.kind === "name") return { kind: "literal", at, value: token.text };
    if (token.text !== "(") throw new ExpressionFault(`unexpected ${token.text}`, at);
    const key = this.#expression();
    this.#expect(")");
    return key;
  }

  #postfix(start: Node): Node {
    let object = start;
    for (;;) {
      const { at } = this.#token;
      if (this.#accept("?.")) {
        object = this.#is("[") ? this.#bracket(object, true) : this.#member(object, at, true);
      } else if (this.#accept(".")) object = this.#member(object, at, false);
      else if (this.#is("[")) object = this.#bracket(object, false);
      else return object;
    }
  }

  #member(object: Node, at: number, optional: boolean): Node {
    const token = this.#take();
    if (token.kind !== "name") throw new ExpressionFault(`unexpected ${token.text || "end of expression"}`, token.at);
    return { kind: "member", at, object, key: { kind: "literal", at: token.at, value: token.text }, optional };
  }

  #bracket(object: Node, optional: boolean): Node {
    const { at } = this.#take();
    const from = this.#is(":") ? undefined : this.#expression();
    if (this.#accept(":")) {
      const to = this.#is("]") ? undefined : this.#expression();
      this.#expect("]");
      return { kind: "slice", at, object, from, to };
    }
    this.#expect("]");
    if (from === undefined) throw new ExpressionFault("index is missing", at);
    return { kind: "member", at, object, key: from, optional };
  }
}
