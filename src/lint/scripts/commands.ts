/**
 * The commands that stand in a script, for rules that look for one: near enough for shells of Unix and for PowerShell,
 * without running anything. What only a shell can know (variables, substitutions) stays as it is written. Pure.
 */
import type { LintDocument, LintStep } from "../document.ts";
import { nodeAt } from "../tree.ts";
import { scalarPlaces } from "./scalar-places.ts";
import { withoutExpressions } from "./shell-scripts.ts";
import type { Position } from "#workflows";

export interface ScriptCommand {
  /** The first is the program. Without quotes. */
  readonly words: readonly string[];
  /** Where it begins in the script. */
  readonly offset: number;
}

/** Words that stand before a command and are none. */
const before: ReadonlySet<string> = new Set(
  "if then else elif do while until ! time sudo exec command env {".split(" "),
);

/** A word, parts of which may be quoted; or what ends a command. */
const token = /(?:'[^']*'|"(?:[^"\\]|\\[^])*"|[\\`](?!\r?\n)[^]|[^\s;&|()'"\\`])+|[;&|()\n]/gu;

export function commandsOf(script: string): readonly ScriptCommand[] {
  const text = withoutHereDocuments(withoutExpressions(script)).replaceAll(/[\\`]\r?\n/g, (join) =>
    " ".repeat(join.length),
  );
  const commands: { readonly words: string[]; readonly offset: number }[] = [];
  let open: { readonly words: string[]; readonly offset: number } | undefined;
  let comment = -1;
  for (const { 0: word, index } of text.matchAll(token)) {
    if (word.length === 1 && ";&|()\n".includes(word)) {
      if (word === "\n") comment = -1;
      open = undefined;
      continue;
    }
    if (comment < 0 && word.startsWith("#")) comment = index;
    if (comment >= 0) continue;
    if (open === undefined && (before.has(word) || /^\w+=/.test(word))) continue;
    if (open === undefined) {
      open = { words: [], offset: index };
      commands.push(open);
    }
    open.words.push(word.replaceAll(/['"]/g, ""));
  }
  return commands;
}

/** Their lines as blanks. Line by line, since scripts come from strangers: no search from each beginning to the end. */
function withoutHereDocuments(script: string): string {
  let until: string | undefined;
  const lines = script.split("\n").map((line) => {
    if (until === undefined) {
      until = /<<-?\s*['"]?(\w+)/.exec(line)?.[1];
      return line;
    }
    if (line.trim() !== until) return " ".repeat(line.length);
    until = undefined;
    return line;
  });
  return lines.join("\n");
}

/** Those of a step's `run`, each with its place in the file. */
export function placedCommands(
  document: LintDocument,
  step: LintStep,
): readonly (ScriptCommand & { readonly at: Position })[] {
  const node = nodeAt(step.node, "run");
  if (node?.kind !== "scalar" || typeof node.value !== "string") return [];
  const commands = commandsOf(node.value);
  if (commands.length === 0) return [];
  const place = scalarPlaces(document.lines, { ...node, value: node.value });
  return commands.map((command) => ({ ...command, at: place(command.offset) }));
}
