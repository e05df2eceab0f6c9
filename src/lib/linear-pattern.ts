/**
 * Regular expressions from outside, matched in time linear in the text: JavaScript's own engine backtracks, and one
 * hostile pattern (`(a+)+!` against a row of a's) would hold up everything else in the process.
 *
 * The syntax is RE2's, which the formats that carry such patterns mean (PromQL, Go's regexp, CRD schemas): no look-around,
 * no back-references. A pattern becomes a list of instructions, and all the ways through it are followed at once (Thompson
 * 1968; with the captures of the preferred way, Pike), so a match takes at most text × instructions steps.
 */
import { compilePattern, type Instruction } from "./linear-pattern-compile.ts";
import type { PatternFlags } from "./linear-pattern-syntax.ts";

export interface LinearPattern {
  readonly source: string;
  /** Whether the pattern is found anywhere in the text; anchor it with `^` and `$` for the whole. */
  test(text: string): boolean;
  /** The leftmost match and its groups, numbered as in the pattern; undefined for a group that took no part. */
  exec(text: string): readonly (string | undefined)[] | undefined;
}

/** The same few patterns are asked for again and again: an expression in a loop, a schema for every object. */
const maxKept = 200;
const kept = new Map<string, LinearPattern>();

/** @throws SyntaxError for what RE2 would refuse, and for a pattern that is too large */
export function linearPattern(source: string, flags: PatternFlags = {}): LinearPattern {
  const key = `${flags.ignoreCase === true ? "i" : ""}${flags.dotAll === true ? "s" : ""}/${source}`;
  const known = kept.get(key);
  if (known !== undefined) return known;
  const pattern = build(source, flags);
  const oldest = kept.keys().next();
  if (kept.size >= maxKept && oldest.done !== true) kept.delete(oldest.value);
  kept.set(key, pattern);
  return pattern;
}

function build(source: string, flags: PatternFlags): LinearPattern {
  const { program, groups } = compilePattern(source, flags);
  return {
    source,
    test: (text) => run(program, Array.from(text), 0) !== undefined,
    exec(text) {
      const characters = Array.from(text);
      const marks = run(program, characters, 2 * (groups + 1));
      if (marks === undefined) return undefined;
      return Array.from({ length: groups + 1 }, (_none, group) => {
        const [from = -1, to = -1] = marks.slice(2 * group, 2 * group + 2);
        return from < 0 || to < 0 ? undefined : characters.slice(from, to).join("");
      });
    },
  };
}

/** Positions by number: 2n is where group n begins, 2n + 1 where it ends. */
type Marks = readonly number[];

interface Thread {
  readonly at: number;
  readonly marks: Marks;
}

/** @param wanted how many marks to keep; 0 asks only whether there is a match */
function run(program: readonly Instruction[], text: readonly string[], wanted: number): Marks | undefined {
  let threads: Thread[] = [];
  let found: Marks | undefined;
  for (let position = 0; position <= text.length; position++) {
    const seen = new Uint8Array(program.length);
    const current: Thread[] = [];
    for (const thread of threads) follow(program, thread, { text, position, wanted, seen, out: current });
    // A match that begins later is worth less than any found or under way.
    if (found === undefined) follow(program, { at: 0, marks: [] }, { text, position, wanted, seen, out: current });
    threads = [];
    for (const { at, marks } of current) {
      const instruction = program[at];
      if (instruction?.kind === "match") {
        if (wanted === 0) return marks;
        found = marks;
        // The ways behind this one are less preferred.
        break;
      }
      const character = text[position];
      if (instruction?.kind === "take" && character !== undefined && instruction.takes(character)) {
        threads.push({ at: at + 1, marks });
      }
    }
    if (threads.length === 0 && found !== undefined) return found;
  }
  return found;
}

interface Place {
  readonly text: readonly string[];
  readonly position: number;
  readonly wanted: number;
  /** Instructions reached at this position: a second way to one can only be less preferred. */
  readonly seen: Uint8Array;
  readonly out: Thread[];
}

/** Adds the instructions that take a character, or match, reachable from `start` without taking one; preferred first. */
function follow(program: readonly Instruction[], start: Thread, place: Place): void {
  const { seen, text, position, wanted, out } = place;
  const open: Thread[] = [start];
  for (let thread = open.pop(); thread !== undefined; thread = open.pop()) {
    const { at, marks } = thread;
    const instruction = program[at];
    if (instruction === undefined || seen[at] === 1) continue;
    seen[at] = 1;
    switch (instruction.kind) {
      case "jump":
        open.push({ at: instruction.to, marks });
        break;
      case "split":
        open.push({ at: instruction.second, marks }, { at: instruction.first, marks });
        break;
      case "mark":
        open.push({
          at: at + 1,
          marks: instruction.index < wanted ? marked(marks, instruction.index, position) : marks,
        });
        break;
      case "assert":
        if (instruction.holds(text[position - 1], text[position])) open.push({ at: at + 1, marks });
        break;
      case "take":
      case "match":
        out.push(thread);
    }
  }
}

function marked(marks: Marks, index: number, position: number): Marks {
  const next = [...marks];
  while (next.length <= index) next.push(-1);
  next[index] = position;
  return next;
}
