/** RE2 syntax to the instructions that `linear-pattern.ts` runs. Pure. */
import { parsePattern, type PatternFlags, type PatternNode } from "./linear-pattern-syntax.ts";

export type Instruction =
  | { readonly kind: "take"; readonly takes: (character: string) => boolean }
  | { readonly kind: "jump"; readonly to: number }
  /** `first` is preferred. */
  | { readonly kind: "split"; readonly first: number; readonly second: number }
  | { readonly kind: "mark"; readonly index: number }
  | {
      readonly kind: "assert";
      readonly holds: (before: string | undefined, after: string | undefined) => boolean;
    }
  | { readonly kind: "match" };

const maxInstructions = 20_000;

export interface CompiledPattern {
  readonly program: readonly Instruction[];
  readonly groups: number;
}

/** @throws SyntaxError */
export function compilePattern(source: string, flags: PatternFlags): CompiledPattern {
  const { root, groups } = parsePattern(source, flags);
  const written: Written = { program: [{ kind: "mark", index: 0 }], steps: 0 };
  emit(written, root);
  written.program.push({ kind: "mark", index: 1 }, { kind: "match" });
  return { program: written.program, groups };
}

interface Written {
  readonly program: Instruction[];
  /** Nodes visited: repeated emptiness writes nothing and takes its time all the same. */
  steps: number;
}

function emit(written: Written, node: PatternNode): void {
  const { program } = written;
  written.steps += 1;
  if (Math.max(program.length, written.steps) > maxInstructions) {
    throw new SyntaxError("Invalid regular expression: too large");
  }
  switch (node.kind) {
    case "take":
    case "assert":
      program.push(node);
      return;
    case "sequence":
      for (const item of node.items) emit(written, item);
      return;
    case "group":
      program.push({ kind: "mark", index: 2 * node.index });
      emit(written, node.item);
      program.push({ kind: "mark", index: 2 * node.index + 1 });
      return;
    case "choice":
      return emitChoice(written, node.items);
    case "repeat":
      return emitRepeat(written, node);
  }
}

function emitChoice(written: Written, items: readonly PatternNode[]): void {
  const { program } = written;
  const ends: number[] = [];
  for (const [index, item] of items.entries()) {
    const split = program.length;
    const last = index === items.length - 1;
    if (!last) program.push({ kind: "match" });
    emit(written, item);
    if (last) break;
    ends.push(program.length);
    program.push({ kind: "match" });
    program[split] = { kind: "split", first: split + 1, second: program.length };
  }
  for (const end of ends) program[end] = { kind: "jump", to: program.length };
}

function emitRepeat(written: Written, { item, min, max, lazy }: Extract<PatternNode, { kind: "repeat" }>): void {
  const { program } = written;
  const split = (at: number, into: number, past: number): void => {
    program[at] = lazy ? { kind: "split", first: past, second: into } : { kind: "split", first: into, second: past };
  };
  for (let count = 0; count < min; count++) emit(written, item);
  if (max === Number.POSITIVE_INFINITY) {
    const at = program.length;
    program.push({ kind: "match" });
    emit(written, item);
    program.push({ kind: "jump", to: at });
    split(at, at + 1, program.length);
    return;
  }
  const splits: number[] = [];
  for (let count = min; count < max; count++) {
    splits.push(program.length);
    program.push({ kind: "match" });
    emit(written, item);
  }
  for (const at of splits) split(at, at + 1, program.length);
}
