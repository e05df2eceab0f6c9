/** Variable replacement and quoting in Dockerfile words (Dockerfile reference, "Environment replacement"). */

/** What is wrong with a word; the caller knows where the word stands. */
export class ExpansionError extends Error {
  override readonly name = "ExpansionError";
}

export type Lookup = (name: string) => string | undefined;

/** The word without its quotes and with `$name` and `${name…}` replaced. */
export function expandWord(word: string, lookup: Lookup, escape: string): string {
  const cursor = { text: word, at: 0 };
  let out = "";
  while (cursor.at < word.length) {
    const char = word[cursor.at] ?? "";
    if (char === "'") out += singleQuoted(cursor);
    else if (char === '"') out += doubleQuoted(cursor, lookup, escape);
    else if (char === "$") out += dollar(cursor, lookup, escape);
    else if (char === escape) {
      out += word[cursor.at + 1] ?? "";
      cursor.at += 2;
    } else {
      out += char;
      cursor.at++;
    }
  }
  return out;
}

/** Replaces variables but leaves quotes alone: the rule inside heredocs. */
export function expandHeredoc(content: string, lookup: Lookup, escape: string): string {
  const cursor = { text: content, at: 0 };
  let out = "";
  while (cursor.at < content.length) {
    const char = content[cursor.at] ?? "";
    if (char === "$") out += dollar(cursor, lookup, escape);
    else if (char === escape && content[cursor.at + 1] === "$") {
      out += "$";
      cursor.at += 2;
    } else {
      out += char;
      cursor.at++;
    }
  }
  return out;
}

interface Cursor {
  readonly text: string;
  at: number;
}

function singleQuoted(cursor: Cursor): string {
  const end = cursor.text.indexOf("'", cursor.at + 1);
  if (end === -1) throw new ExpansionError("a single quote is not closed");
  const inside = cursor.text.slice(cursor.at + 1, end);
  cursor.at = end + 1;
  return inside;
}

function doubleQuoted(cursor: Cursor, lookup: Lookup, escape: string): string {
  let out = "";
  cursor.at++;
  while (cursor.at < cursor.text.length) {
    const char = cursor.text[cursor.at] ?? "";
    const next = cursor.text[cursor.at + 1] ?? "";
    if (char === '"') {
      cursor.at++;
      return out;
    }
    if (char === "$") {
      out += dollar(cursor, lookup, escape);
    } else if (char === escape && (next === '"' || next === "$" || next === escape)) {
      out += next;
      cursor.at += 2;
    } else {
      out += char;
      cursor.at++;
    }
  }
  throw new ExpansionError("a double quote is not closed");
}

function dollar(cursor: Cursor, lookup: Lookup, escape: string): string {
  cursor.at++;
  if (cursor.text[cursor.at] === "{") return braced(cursor, lookup, escape);
  const name = /^(?:[a-zA-Z_]\w*|[0-9@*#?$!-])/.exec(cursor.text.slice(cursor.at))?.[0];
  if (name === undefined) return "$";
  cursor.at += name.length;
  return lookup(name) ?? "";
}

function braced(cursor: Cursor, lookup: Lookup, escape: string): string {
  const end = closingBrace(cursor.text, cursor.at, escape);
  const inside = cursor.text.slice(cursor.at + 1, end);
  cursor.at = end + 1;
  const match = /^([a-zA-Z_]\w*|[0-9@*#?$!-])(?:(:?[-+?])([\s\S]*))?$/.exec(inside);
  const name = match?.[1];
  if (name === undefined) {
    throw new ExpansionError(`"\${${inside}}" is not understood: use \${name}, \${name:-default} or \${name:+value}`);
  }
  const value = lookup(name);
  const operator = match?.[2];
  if (operator === undefined) return value ?? "";
  const operand = match?.[3] ?? "";
  const present = operator.startsWith(":") ? value !== undefined && value !== "" : value !== undefined;
  switch (operator.at(-1)) {
    case "-":
      return present ? (value ?? "") : expandWord(operand, lookup, escape);
    case "+":
      return present ? expandWord(operand, lookup, escape) : "";
    default:
      if (present) return value ?? "";
      throw new ExpansionError(`"${name}" is required: ${expandWord(operand, lookup, escape) || "it is not set"}`);
  }
}

function closingBrace(text: string, open: number, escape: string): number {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    const char = text[at];
    if (char === escape) at++;
    else if (char === "{") depth++;
    else if (char === "}" && --depth === 0) return at;
  }
  throw new ExpansionError(`"$${text.slice(open)}" has no closing brace`);
}

/** Splits at white space outside quotes, keeping the quotes for `expandWord`. */
export function splitQuoted(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  let started = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (quote === "" && /\s/.test(char)) {
      if (started) words.push(word);
      word = "";
      started = false;
      continue;
    }
    started = true;
    if (char === escape && quote !== "'" && at + 1 < text.length) {
      word += char + (text[++at] ?? "");
      continue;
    }
    if (quote === "" && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = "";
    word += char;
  }
  if (started) words.push(word);
  return words;
}
