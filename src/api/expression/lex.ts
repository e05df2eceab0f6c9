import { ExpressionFault } from "./syntax.ts";

export type Token =
  | { readonly kind: "number"; readonly at: number; readonly text: string; readonly value: number }
  | { readonly kind: "string"; readonly at: number; readonly text: string; readonly value: string }
  | { readonly kind: "name" | "operator" | "end"; readonly at: number; readonly text: string };

const blank = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y;
// A dot that begins a range (`1..3`) or a member is no part of the number.
const number =
  /0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*(?:\.(?!\.)[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y;
const name = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const operator = /\?\?|\?\.|\?:|\.\.|\*\*|&&|\|\||==|!=|<=|>=|[-+*/%^<>!?:.,;()[\]{}#|=]/y;
const text = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`/y;

/** Splits `source` into tokens, the last one being `end`. Throws `ExpressionFault`. */
export function lex(source: string): Token[] {
  const tokens: Token[] = [];
  let at = match(blank, source, 0).length;
  while (at < source.length) {
    const token = next(source, at);
    tokens.push(token);
    at += token.text.length;
    at += match(blank, source, at).length;
  }
  tokens.push({ kind: "end", at: source.length, text: "" });
  return tokens;
}

function next(source: string, at: number): Token {
  const digits = match(number, source, at);
  if (digits !== "") {
    const value = Number(digits.replaceAll("_", ""));
    if (!Number.isFinite(value)) throw new ExpressionFault(`bad number ${digits}`, at);
    return { kind: "number", at, text: digits, value };
  }
  const word = match(name, source, at);
  if (word !== "") return { kind: "name", at, text: word };
  const quoted = match(text, source, at);
  if (quoted !== "") return { kind: "string", at, text: quoted, value: unquote(quoted, at) };
  const sign = match(operator, source, at);
  if (sign !== "") return { kind: "operator", at, text: sign };
  const found = String.fromCodePoint(source.codePointAt(at) ?? 0);
  const message =
    found === '"' || found === "'" || found === "`" ? "text without closing quote" : `unexpected ${found}`;
  throw new ExpressionFault(message, at);
}

function match(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? "";
}

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  a: "\u0007",
  b: "\b",
  f: "\f",
  v: "\v",
  "0": "\0",
};

function unquote(quoted: string, at: number): string {
  const inner = quoted.slice(1, -1);
  if (quoted.startsWith("`")) return inner;
  return inner.replace(/\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|.)/gsu, (_whole, code: string) => {
    if (code.length > 1) {
      const point = Number.parseInt(code.slice(1), 16);
      if (point > 0x10ffff) throw new ExpressionFault(`bad character \\${code}`, at);
      return String.fromCodePoint(point);
    }
    return escapes[code] ?? code;
  });
}
