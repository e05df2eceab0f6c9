/**
 * Where the characters of a YAML scalar stand in its file, however it is written: as a block, folded, quoted, over
 * several lines. Pure.
 *
 * What a scalar says is what its text says, in order, but for blanks and line ends, which folding changes, and for the
 * escapes of quoted ones. So the characters of the value that are no blanks are found one after the other in the text.
 */
import type { Position } from "#workflows";
import type { ScriptNode } from "./shell-scripts.ts";

/** Answers for offsets in the value, in UTF-16 units, up to its length, which is the place behind it. */
export function scalarPlaces(lines: readonly string[], node: ScriptNode): (offset: number) => Position {
  const reader = new ScalarReader(lines, node.start);
  const places: Position[] = [];
  /** Where the line ends so far. A line end stands there too, and so does what is blank below it. */
  let end = reader.place;
  let isOver = false;
  for (const character of node.value) {
    const isLetter = !isBlank(character);
    isOver = !isLetter && (isOver || character === "\n");
    const place = isLetter ? reader.find(character) : end;
    for (let unit = 0; unit < character.length; unit++) places.push({ ...place, column: place.column + unit });
    // A blank at which the text is folded is not on this line any more.
    const last = (lines[place.line - 1] ?? "").length + 1;
    if (!isOver) end = { ...place, column: Math.min(place.column + character.length, last) };
  }
  return (offset) => places[offset] ?? end;
}

function isBlank(character: string): boolean {
  return /^[ \t-\r]$/.test(character);
}

/** What one escape of a double-quoted scalar stands for; the others stand for themselves. YAML 1.2.2, 5.7. */
const escapes: Readonly<Record<string, string>> = {
  "0": "\0",
  a: "\u0007",
  b: "\b",
  e: "\u001b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  L: "\u2028",
  N: "\u0085",
  P: "\u2029",
  _: "\u00a0",
};

class ScalarReader {
  readonly #lines: readonly string[];
  readonly #quote: string;
  #line: number;
  /** From 0. */
  #column: number;

  constructor(lines: readonly string[], start: Position) {
    this.#lines = lines;
    const first = lines[start.line - 1]?.charAt(start.column - 1) ?? "";
    const isBlock = first === "|" || first === ">";
    this.#quote = first === '"' || first === "'" ? first : "";
    // What a block says begins on the line below its header.
    this.#line = isBlock ? start.line + 1 : start.line;
    this.#column = isBlock ? indentation(lines[start.line] ?? "") : start.column - 1 + this.#quote.length;
  }

  get place(): Position {
    return { line: this.#line, column: this.#column + 1 };
  }

  /** Moves behind the next of these characters; where it is. */
  find(character: string): Position {
    for (;;) {
      const text = this.#lines[this.#line - 1];
      if (text === undefined) return this.place;
      if (this.#column >= text.length) {
        this.#line += 1;
        this.#column = 0;
        continue;
      }
      const place = this.place;
      if (this.#take(text) === character) return place;
    }
  }

  #take(text: string): string {
    const rest = text.slice(this.#column, this.#column + 10);
    if (this.#quote === "'" && rest.startsWith("''")) return this.#move(2, "'");
    if (this.#quote !== '"' || !rest.startsWith("\\")) {
      const [character = ""] = rest;
      return this.#move(character.length, character);
    }
    const code = /^\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))/i.exec(rest);
    const digits = code?.[1] ?? code?.[2] ?? code?.[3];
    if (code !== null && digits !== undefined) return this.#move(code[0].length, fromCode(Number.parseInt(digits, 16)));
    const named = rest.charAt(1);
    return this.#move(2, escapes[named] ?? named);
  }

  #move(by: number, character: string): string {
    this.#column += by;
    return character;
  }
}

function indentation(line: string): number {
  return line.length - line.trimStart().length;
}

function fromCode(code: number): string {
  return code > 0x10_ff_ff ? "" : String.fromCodePoint(code);
}
