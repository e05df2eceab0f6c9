/** Reads GraphQL documents (October 2021, section 2): operations, fields, arguments, variables and fragments. Pure. */
import { RestError } from "../rest/rest-error.ts";

export type Value =
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "list"; readonly values: readonly Value[] }
  | { readonly kind: "object"; readonly fields: ReadonlyMap<string, Value> }
  | { readonly kind: "constant"; readonly value: string | number | boolean | null };

export type Selection =
  | {
      readonly kind: "field";
      /** What the answer calls it. */
      readonly alias: string;
      readonly name: string;
      readonly args: ReadonlyMap<string, Value>;
      readonly selections: readonly Selection[];
    }
  | { readonly kind: "spread"; readonly name: string }
  | { readonly kind: "inline"; readonly on: string | undefined; readonly selections: readonly Selection[] };

export interface Operation {
  readonly kind: "query" | "mutation";
  readonly name: string | undefined;
  /** With their defaults; undefined: none. */
  readonly variables: ReadonlyMap<string, Value | undefined>;
  readonly selections: readonly Selection[];
}

export interface Document {
  readonly operations: readonly Operation[];
  readonly fragments: ReadonlyMap<string, { readonly on: string; readonly selections: readonly Selection[] }>;
}

const longest = 64 * 1024;
const maxDepth = 30;
const token =
  /[\s,\uFEFF]+|#[^\n\r]*|(?<name>[_A-Za-z]\w*)|(?<number>-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|"""(?<block>(?:[^"]|"(?!""))*)"""|(?<text>"(?:[^"\\\n]|\\.)*")|(?<mark>\.\.\.|[!$()[\]{}:=|@&])/y;

interface Token {
  readonly kind: "name" | "number" | "text" | "mark" | "end";
  readonly text: string;
}

export function parseDocument(source: string): Document {
  if (source.length > longest) throw new RestError("rest/bad-request", `A query has at most ${longest} characters`);
  return new Parser(tokensOf(source)).document();
}

function problem(message: string): RestError {
  return new RestError("rest/bad-request", `Cannot read the query: ${message}`);
}

function tokensOf(source: string): readonly Token[] {
  const found: Token[] = [];
  token.lastIndex = 0;
  for (let at = 0; at < source.length; at = token.lastIndex) {
    const groups = token.exec(source)?.groups;
    if (groups === undefined) throw problem(`there is no such thing as "${source.slice(at, at + 10)}"`);
    const { name, number, block, text, mark } = groups;
    if (name !== undefined) found.push({ kind: "name", text: name });
    else if (number !== undefined) found.push({ kind: "number", text: number });
    else if (block !== undefined) found.push({ kind: "text", text: block });
    else if (text !== undefined) found.push({ kind: "text", text: unquoted(text) });
    else if (mark !== undefined) found.push({ kind: "mark", text: mark });
  }
  return found;
}

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    throw problem(`${text.slice(0, 40)} is no text`);
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  document(): Document {
    const operations: Operation[] = [];
    const fragments = new Map<string, { on: string; selections: readonly Selection[] }>();
    while (this.#next().kind !== "end") {
      if (this.#takes("fragment")) {
        const name = this.#name();
        this.#must("on");
        const on = this.#name();
        fragments.set(name, { on, selections: this.#selections() });
      } else operations.push(this.#operation());
    }
    return { operations, fragments };
  }

  #operation(): Operation {
    if (this.#next().text === "{") {
      return { kind: "query", name: undefined, variables: new Map(), selections: this.#selections() };
    }
    const kind = this.#name();
    if (kind !== "query" && kind !== "mutation") throw problem(`"${kind}" is no operation that is served`);
    const name = this.#next().kind === "name" ? this.#name() : undefined;
    const variables = new Map<string, Value | undefined>();
    if (this.#takes("(")) {
      while (!this.#takes(")")) {
        this.#must("$");
        const variable = this.#name();
        this.#must(":");
        this.#type();
        variables.set(variable, this.#takes("=") ? this.#value() : undefined);
      }
    }
    return { kind, name, variables, selections: this.#selections() };
  }

  #type(): void {
    if (this.#takes("[")) {
      this.#type();
      this.#must("]");
    } else this.#name();
    this.#takes("!");
  }

  #selections(): readonly Selection[] {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw problem(`it is more than ${maxDepth} levels deep`);
    this.#must("{");
    const found: Selection[] = [];
    while (!this.#takes("}")) found.push(this.#selection());
    this.#depth -= 1;
    return found;
  }

  #selection(): Selection {
    if (this.#takes("...")) {
      if (this.#next().kind === "name" && this.#next().text !== "on") return { kind: "spread", name: this.#name() };
      const on = this.#takes("on") ? this.#name() : undefined;
      return { kind: "inline", on, selections: this.#selections() };
    }
    const first = this.#name();
    const name = this.#takes(":") ? this.#name() : first;
    const args = this.#takes("(") ? this.#pairs(")") : new Map<string, Value>();
    const selections = this.#next().text === "{" && this.#next().kind === "mark" ? this.#selections() : [];
    return { kind: "field", alias: first, name, args, selections };
  }

  #pairs(end: string): ReadonlyMap<string, Value> {
    const pairs = new Map<string, Value>();
    while (!this.#takes(end)) {
      const name = this.#name();
      this.#must(":");
      pairs.set(name, this.#value());
    }
    return pairs;
  }

  #value(): Value {
    this.#depth += 1;
    if (this.#depth > maxDepth) throw problem(`it is more than ${maxDepth} levels deep`);
    const value = this.#plainValue();
    this.#depth -= 1;
    return value;
  }

  #plainValue(): Value {
    if (this.#takes("$")) return { kind: "variable", name: this.#name() };
    if (this.#takes("{")) return { kind: "object", fields: this.#pairs("}") };
    if (this.#takes("[")) {
      const values: Value[] = [];
      while (!this.#takes("]")) values.push(this.#value());
      return { kind: "list", values };
    }
    const { kind, text } = this.#next();
    if (kind === "mark" || kind === "end") throw problem(`a value is needed before "${text}"`);
    this.#at += 1;
    if (kind === "number") return { kind: "constant", value: Number(text) };
    // A bare name is true, false, null or one of an enumeration.
    const words: ReadonlyMap<string, boolean | null> = new Map([
      ["true", true],
      ["false", false],
      ["null", null],
    ]);
    const word = kind === "name" ? words.get(text) : undefined;
    return { kind: "constant", value: word === undefined ? text : word };
  }

  #next(): Token {
    return this.#tokens[this.#at] ?? { kind: "end", text: "its end" };
  }

  #takes(text: string): boolean {
    const next = this.#next();
    if (next.text !== text || next.kind === "text") return false;
    this.#at += 1;
    return true;
  }

  #must(text: string): void {
    if (!this.#takes(text)) throw problem(`"${text}" is needed before "${this.#next().text.slice(0, 40)}"`);
  }

  #name(): string {
    const next = this.#next();
    if (next.kind !== "name") throw problem(`a name is needed before "${next.text.slice(0, 40)}"`);
    this.#at += 1;
    return next.text;
  }
}
