/** Which rows of a log are to be seen: steps, groups and lines, less what is folded. Pure. */
import type { RunLogLine } from "#api";

/** `index` counts within the step. A group's own line is its heading; `##[endgroup]` is never shown. */
export type LogRow =
  | { readonly kind: "step"; readonly step: number; readonly open: boolean; readonly size: number }
  | {
      readonly kind: "group";
      readonly step: number;
      readonly index: number;
      readonly open: boolean;
      readonly depth: number;
    }
  | { readonly kind: "line"; readonly step: number; readonly index: number; readonly depth: number };

/** What the reader opened or closed, over what is so by default. */
export interface Folds {
  readonly steps: ReadonlyMap<number, boolean>;
  /** By `step:index` of the heading. */
  readonly groups: ReadonlyMap<string, boolean>;
}

export interface FoldInput {
  /** Steps in order, with all lines that came so far. */
  readonly steps: readonly { readonly number: number; readonly open: boolean; readonly lines: readonly RunLogLine[] }[];
  readonly folds: Folds;
}

export const noFolds: Folds = { steps: new Map(), groups: new Map() };
const groupStart = "##[group]";
const groupEnd = "##[endgroup]";

export function visibleRows({ steps, folds }: FoldInput): LogRow[] {
  const rows: LogRow[] = [];
  for (const { number: step, open: openByDefault, lines } of steps) {
    const open = folds.steps.get(step) ?? openByDefault;
    rows.push({ kind: "step", step, open, size: lines.length });
    if (open) addLines(rows, step, lines, folds);
  }
  return rows;
}

function addLines(rows: LogRow[], step: number, lines: readonly RunLogLine[], folds: Folds): void {
  const defaults = openGroups(lines);
  /** Whether each group we are in shows its lines. */
  const stack: boolean[] = [];
  let closed = 0;
  for (let index = 0; index < lines.length; index++) {
    const text = lines[index]?.text ?? "";
    if (text.startsWith(groupEnd)) {
      if (stack.pop() === false) closed--;
      continue;
    }
    if (text.startsWith(groupStart)) {
      const open = folds.groups.get(`${step}:${index}`) ?? defaults.has(index);
      if (closed === 0) rows.push({ kind: "group", step, index, open, depth: stack.length });
      stack.push(open);
      if (!open) closed++;
    } else if (closed === 0) rows.push({ kind: "line", step, index, depth: stack.length });
  }
}

/** A group is open by itself while it has no end, and when something went wrong in it. */
function openGroups(lines: readonly RunLogLine[]): ReadonlySet<number> {
  const open = new Set<number>();
  const stack: { readonly index: number; failed: boolean }[] = [];
  for (let index = 0; index < lines.length; index++) {
    const text = lines[index]?.text ?? "";
    if (text.startsWith(groupStart)) stack.push({ index, failed: false });
    else if (text.startsWith("##[error]")) for (const group of stack) group.failed = true;
    else if (text.startsWith(groupEnd)) {
      const ended = stack.pop();
      if (ended?.failed === true) open.add(ended.index);
    }
  }
  for (const { index } of stack) open.add(index);
  return open;
}

/** Folds such that this line is to be seen. */
export function revealed(folds: Folds, step: number, lines: readonly RunLogLine[], index: number): Folds {
  const steps = new Map(folds.steps).set(step, true);
  const groups = new Map(folds.groups);
  const stack: number[] = [];
  for (let at = 0; at < index; at++) {
    const text = lines[at]?.text ?? "";
    if (text.startsWith(groupStart)) stack.push(at);
    else if (text.startsWith(groupEnd)) stack.pop();
  }
  for (const start of stack) groups.set(`${step}:${start}`, true);
  return { steps, groups };
}

/** The first line that says what went wrong, in the first step that has one. */
export function firstError(steps: FoldInput["steps"]): { readonly step: number; readonly index: number } | undefined {
  for (const { number: step, lines } of steps) {
    const index = lines.findIndex(({ text }) => text.startsWith("##[error]"));
    if (index >= 0) return { step, index };
  }
  return undefined;
}

export interface LineContent {
  readonly level: "plain" | "error" | "warning" | "notice" | "debug" | "command" | "group";
  readonly text: string;
}

/** `##[error]text` and `[command]text` are marks, not text. */
export function lineContent(text: string): LineContent {
  const match = /^##\[(error|warning|notice|debug|command|group)\]|^\[command\]/.exec(text);
  if (match === null) return { level: "plain", text };
  return { level: (match[1] ?? "command") as LineContent["level"], text: text.slice(match[0].length) };
}
