/** RE2 syntax to a tree. Pure. */

export interface PatternFlags {
  readonly ignoreCase?: boolean;
  /** `.` takes line breaks too. */
  readonly dotAll?: boolean;
}

export type PatternNode =
  | { readonly kind: "take"; readonly takes: (character: string) => boolean }
  | { readonly kind: "assert"; readonly holds: (before: string | undefined, after: string | undefined) => boolean }
  | { readonly kind: "sequence"; readonly items: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly items: readonly PatternNode[] }
  | {
      readonly kind: "repeat";
      readonly item: PatternNode;
      readonly min: number;
      readonly max: number;
      readonly lazy: boolean;
    }
  | { readonly kind: "group"; readonly index: number; readonly item: PatternNode };

/** A pattern of a person has tens of characters; RE2's own limit on repetition is 1,000 too. */
const maxSource = 4096;
const maxRepeat = 1000;
const maxDepth = 200;

/** @throws SyntaxError */
export function parsePattern(
  source: string,
  flags: PatternFlags,
): { readonly root: PatternNode; readonly groups: number } {
  if (source.length > maxSource) throw new SyntaxError(`Invalid regular expression: over ${maxSource} characters`);
  const reader = new Reader(source, flags);
  const root = reader.read();
  return { root, groups: reader.groups };
}

const posixClasses: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: String.raw`\x00-\x7F`,
  blank: String.raw`\t `,
  cntrl: String.raw`\x00-\x1F\x7F`,
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: String.raw`!-\/:-@\[-\x60\{-~`,
  space: String.raw`\t\n\v\f\r `,
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

class Reader {
  groups = 0;
  readonly #source: string;
  readonly #names = new Set<string>();
  #at = 0;
  #depth = 0;
  #ignoreCase: boolean;
  #dotAll: boolean;
  #multiline = false;
  #ungreedy = false;

  constructor(source: string, flags: PatternFlags) {
    this.#source = source;
    this.#ignoreCase = flags.ignoreCase ?? false;
    this.#dotAll = flags.dotAll ?? false;
  }

  read(): PatternNode {
    const root = this.#choice();
    if (this.#at < this.#source.length) throw this.#wrong("unmatched )");
    return root;
  }

  #choice(): PatternNode {
    if (++this.#depth > maxDepth) throw this.#wrong("nested too deeply");
    const items = [this.#sequence()];
    while (this.#skip("|")) items.push(this.#sequence());
    this.#depth -= 1;
    return items.length === 1 ? (items[0] ?? { kind: "sequence", items: [] }) : { kind: "choice", items };
  }

  #sequence(): PatternNode {
    const items: PatternNode[] = [];
    while (this.#at < this.#source.length && !"|)".includes(this.#source[this.#at] ?? "")) {
      const atom = this.#atom();
      if (atom !== undefined) items.push(this.#repeated(atom));
    }
    return { kind: "sequence", items };
  }

  #repeated(atom: PatternNode): PatternNode {
    const quantifier = /^(?:[*+?]|\{(\d{1,4})(,(\d{0,4}))?\})(\?)?/.exec(this.#source.slice(this.#at, this.#at + 16));
    if (quantifier === null) return atom;
    this.#at += quantifier[0].length;
    const [min, max] = bounds(quantifier);
    if (min > maxRepeat || (max > maxRepeat && max !== Number.POSITIVE_INFINITY) || max < min) {
      throw this.#wrong("bad repetition");
    }
    if (/^(?:[*+?]|\{\d+(?:,\d*)?\})/.test(this.#source.slice(this.#at, this.#at + 16))) {
      throw this.#wrong("nothing to repeat");
    }
    return { kind: "repeat", item: atom, min, max, lazy: (quantifier[4] === "?") !== this.#ungreedy };
  }

  #atom(): PatternNode | undefined {
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return this.#take(this.#bracket());
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw this.#wrong("nothing to repeat");
      default:
    }
    this.#at += character.length;
    if (character === ".") return this.#take(this.#dotAll ? String.raw`[\s\S]` : String.raw`[^\n]`);
    if (character === "^") return assertion(atStart(this.#multiline));
    if (character === "$") return assertion(atEnd(this.#multiline));
    return this.#take(RegExp.escape(character));
  }

  /** One character, as JavaScript's engine understands it: against a single one it cannot backtrack. */
  #take(source: string): PatternNode {
    let pattern: RegExp;
    try {
      pattern = new RegExp(`^(?:${source})$`, this.#ignoreCase ? "iu" : "u");
    } catch {
      throw this.#wrong(`"${source}" is no character class`);
    }
    return { kind: "take", takes: (character) => pattern.test(character) };
  }

  #group(): PatternNode | undefined {
    const [opening = "(", name] = /^\((?:\?(?:P?<([A-Za-z_]\w*)>|:|([imsU]*)(-[imsU]+)?(?=[:)])))?/.exec(
      this.#source.slice(this.#at, this.#at + 200),
    ) ?? ["("];
    const before = { ignoreCase: this.#ignoreCase, dotAll: this.#dotAll, multi: this.#multiline, un: this.#ungreedy };
    this.#at += opening.length;
    if (opening === "(" && this.#source[this.#at] === "?") throw this.#wrong("this kind of group is not supported");
    const captures = opening === "(" || name !== undefined;
    if (!captures && opening !== "(?:") {
      this.#setFlags(opening.slice(2));
      if (this.#skip(")")) return undefined;
      this.#skip(":");
    }
    if (name !== undefined && this.#names.has(name)) throw this.#wrong(`group "${name}" is named twice`);
    if (name !== undefined) this.#names.add(name);
    const index = captures ? ++this.groups : 0;
    const item = this.#choice();
    if (!this.#skip(")")) throw this.#wrong("missing )");
    this.#ignoreCase = before.ignoreCase;
    this.#dotAll = before.dotAll;
    this.#multiline = before.multi;
    this.#ungreedy = before.un;
    return captures ? { kind: "group", index, item } : item;
  }

  #setFlags(text: string): void {
    let value = true;
    for (const flag of text) {
      if (flag === "-") value = false;
      else if (flag === "i") this.#ignoreCase = value;
      else if (flag === "s") this.#dotAll = value;
      else if (flag === "m") this.#multiline = value;
      else this.#ungreedy = value;
    }
  }

  #escape(): PatternNode {
    const word = (character: string | undefined): boolean => character !== undefined && /\w/.test(character);
    const next = this.#source[this.#at + 1];
    if (next !== undefined && "AzbB".includes(next)) {
      this.#at += 2;
      if (next === "A") return assertion(atStart(false));
      if (next === "z") return assertion(atEnd(false));
      return assertion((before, after) => (word(before) !== word(after)) === (next === "b"));
    }
    return this.#take(this.#escapedClass());
  }

  /** `\d`, `\pL`, `\x41`, `\.` … in JavaScript's words. */
  #escapedClass(): string {
    const rest = this.#source.slice(this.#at, this.#at + 60);
    const [known] = /^\\(?:[dDsSwWtnrfv]|x[0-9A-Fa-f]{2}|[pP]\{[\w^]+\})/.exec(rest) ?? [];
    if (known !== undefined) {
      this.#at += known.length;
      const negated = /^\\[pP]\{\^/.test(known);
      const turned = known.startsWith(String.raw`\p`) ? String.raw`\P{` : String.raw`\p{`;
      return negated ? known.replace(/^\\[pP]\{\^/, turned) : known;
    }
    const [long, code] = /^\\x\{([0-9A-Fa-f]{1,6})\}/.exec(rest) ?? [];
    if (long !== undefined) {
      this.#at += long.length;
      return `\\u{${code}}`;
    }
    const [short, letter] = /^\\[pP]([A-Z])/.exec(rest) ?? [];
    if (short !== undefined) {
      this.#at += short.length;
      return `\\${short[1]}{${letter}}`;
    }
    const [literal, character] = /^\\([^\w\s]|_)/u.exec(rest) ?? [];
    if (literal === undefined || character === undefined)
      throw this.#wrong(`escape "${rest.slice(0, 2)}" is not known`);
    this.#at += literal.length;
    return RegExp.escape(character);
  }

  #bracket(): string {
    this.#at += 1;
    let source = this.#skip("^") ? "[^" : "[";
    for (let first = true; first || this.#source[this.#at] !== "]"; first = false) {
      if (this.#at >= this.#source.length) throw this.#wrong("missing ]");
      const posix = /^\[:(\^?)([a-z]+):\]/.exec(this.#source.slice(this.#at, this.#at + 20));
      const named = posixClasses[posix?.[2] ?? ""];
      if (posix !== null && named !== undefined && posix[1] === "") {
        source += named;
        this.#at += posix[0].length;
      } else if (this.#source[this.#at] === "\\") source += this.#escapedClass();
      else source += this.#classCharacter();
    }
    this.#at += 1;
    return `${source}]`;
  }

  #classCharacter(): string {
    const character = String.fromCodePoint(this.#source.codePointAt(this.#at) ?? 0);
    this.#at += character.length;
    return "[]^/(){}|$.*+?".includes(character) ? `\\${character}` : character;
  }

  #skip(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #wrong(reason: string): SyntaxError {
    return new SyntaxError(`Invalid regular expression: ${reason} at character ${this.#at + 1}`);
  }
}

function bounds(quantifier: RegExpExecArray): [number, number] {
  const [text, from, range, to] = quantifier;
  if (text.startsWith("*")) return [0, Number.POSITIVE_INFINITY];
  if (text.startsWith("+")) return [1, Number.POSITIVE_INFINITY];
  if (text.startsWith("?")) return [0, 1];
  if (range === undefined) return [Number(from), Number(from)];
  return [Number(from), to === undefined || to === "" ? Number.POSITIVE_INFINITY : Number(to)];
}

function assertion(holds: (before: string | undefined, after: string | undefined) => boolean): PatternNode {
  return { kind: "assert", holds };
}

function atStart(multiline: boolean): (before: string | undefined) => boolean {
  return (before) => before === undefined || (multiline && before === "\n");
}

function atEnd(multiline: boolean): (before: string | undefined, after: string | undefined) => boolean {
  return (_before, after) => after === undefined || (multiline && after === "\n");
}
