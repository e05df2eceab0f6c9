/**
 * JSON as GitHub's `fromJSON` takes it, whose reader (Json.NET) forgives more than the standard: texts in single quotes,
 * names without quotes, a comma before the closing bracket, comments, numbers in hexadecimal. Lists that Python prints
 * (`['3.11', '3.12']`) are handed from job to job that way. What stands behind the value is not looked at. Pure.
 */
import type { ContextValue } from "../protocol.ts";

const maxDepth = 100;
const escapes: Readonly<Record<string, string>> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r" };
const words: readonly (readonly [RegExp, ContextValue])[] = [
  [/true(?![\w$])/y, true],
  [/false(?![\w$])/y, false],
  [/null(?![\w$])/y, null],
  [/NaN(?![\w$])/y, Number.NaN],
  [/Infinity(?![\w$])/y, Infinity],
  [/-Infinity(?![\w$])/y, -Infinity],
];
const space = /(?:\s|\/\/[^\r\n]*|\/\*[^]*?\*\/)*/y;
const number = /-?(?:0[xX][\da-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.$])/y;
const bareName = /[\p{L}\p{Nd}_$]+/uy;

/** Throws `Error` with what was found, and where. */
export function parseLenientJson(text: string): ContextValue {
  return new JsonReader(text).value(0);
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): ContextValue {
    this.#match(space);
    const first = this.#text[this.#at];
    if (depth > maxDepth) throw new Error(`it is nested more than ${maxDepth} levels deep`);
    if (first === "{") return this.#object(depth);
    if (first === "[") return this.#array(depth);
    if (first === '"' || first === "'") return this.#string(first);
    for (const [pattern, value] of words) if (this.#match(pattern) !== undefined) return value;
    const found = this.#match(number);
    if (found !== undefined) return numberOf(found);
    throw this.#unexpected();
  }

  #object(depth: number): ContextValue {
    const pairs = new Map<string, ContextValue>();
    this.#at += 1;
    for (;;) {
      if (this.#takes("}")) return Object.fromEntries(pairs);
      const first = this.#text[this.#at];
      const name = first === '"' || first === "'" ? this.#string(first) : this.#match(bareName);
      if (name === undefined || !this.#takes(":")) throw this.#unexpected();
      pairs.set(name, this.value(depth + 1));
      if (!this.#takes(",") && !this.#sees("}")) throw this.#unexpected();
    }
  }

  #array(depth: number): ContextValue {
    const items: ContextValue[] = [];
    this.#at += 1;
    for (;;) {
      if (this.#takes("]")) return items;
      items.push(this.value(depth + 1));
      if (!this.#takes(",") && !this.#sees("]")) throw this.#unexpected();
    }
  }

  #string(quote: string): string {
    let result = "";
    this.#at += 1;
    for (;;) {
      const next = this.#text[this.#at++];
      if (next === undefined) throw new Error(`a text that begins with ${quote} does not end`);
      if (next === quote) return result;
      result += next === "\\" ? this.#escape() : next;
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? "";
    if (letter === "u") {
      const digits = /^[\da-fA-F]{4}/.exec(this.#text.slice(this.#at, this.#at + 4))?.[0];
      if (digits === undefined) throw this.#unexpected();
      this.#at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const found = escapes[letter] ?? (["\\", '"', "'", "/"].includes(letter) ? letter : undefined);
    if (found === undefined) throw this.#unexpected();
    return found;
  }

  #sees(mark: string): boolean {
    this.#match(space);
    return this.#text[this.#at] === mark;
  }

  #takes(mark: string): boolean {
    if (!this.#sees(mark)) return false;
    this.#at += 1;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** Only the place is told: what stands there may be a secret. */
  #unexpected(): Error {
    const before = this.#text.slice(0, this.#at).split("\n");
    const place = `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
    return new Error(this.#at >= this.#text.length ? "it ends too early" : `unexpected text at ${place}`);
  }
}

/** A zero in front of other digits makes them octal. */
function numberOf(text: string): number {
  const [, sign = "", digits = text] = /^(-?)(.*)$/.exec(text) ?? [];
  const octal = /^0[0-7]+$/.test(digits);
  const value = octal ? Number.parseInt(digits, 8) : Number(digits);
  return sign === "-" ? -value : value;
}
