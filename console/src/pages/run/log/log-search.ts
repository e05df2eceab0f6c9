/** Finding text in a log, and marking what was found in a line of coloured pieces. Pure. */
import type { RunLogLine } from "#api";
import { type AnsiSpan, plainText } from "./ansi.ts";
import { lineContent } from "./log-rows.ts";

export interface LogMatch {
  readonly step: number;
  readonly index: number;
}

/** More are not counted: nobody steps through them, and each costs. */
export const maxMatches = 5000;

export function searchLog(
  steps: readonly { readonly number: number; readonly lines: readonly RunLogLine[] }[],
  search: string,
): LogMatch[] {
  const wanted = search.toLowerCase();
  const found: LogMatch[] = [];
  if (wanted === "") return found;
  for (const { number: step, lines } of steps) {
    for (let index = 0; index < lines.length; index++) {
      const { text } = lineContent(lines[index]?.text ?? "");
      if (text.startsWith("##[endgroup]")) continue;
      if (!plainText(text).toLowerCase().includes(wanted)) continue;
      found.push({ step, index });
      if (found.length >= maxMatches) return found;
    }
  }
  return found;
}

export interface MarkedSpan extends AnsiSpan {
  readonly marked: boolean;
}

/** Cuts the pieces where the searched text begins and ends; a find may reach over several pieces. */
export function markSpans(spans: readonly AnsiSpan[], search: string): MarkedSpan[] {
  if (search === "") return spans.map((span) => ({ ...span, marked: false }));
  const ranges = rangesOf(spans.map(({ text }) => text).join(""), search);
  const result: MarkedSpan[] = [];
  let start = 0;
  for (const span of spans) {
    const end = start + span.text.length;
    const inside = ranges.flatMap(([from, to]) => [from, to]).filter((at) => at > start && at < end);
    const cuts = [start, ...inside, end];
    for (let at = 0; at + 1 < cuts.length; at++) {
      const from = cuts[at] ?? 0;
      const to = cuts[at + 1] ?? 0;
      if (from === to) continue;
      const marked = ranges.some(([low, high]) => from >= low && to <= high);
      result.push({ ...span, text: span.text.slice(from - start, to - start), marked });
    }
    start = end;
  }
  return result;
}

function rangesOf(text: string, search: string): [number, number][] {
  const lower = text.toLowerCase();
  const wanted = search.toLowerCase();
  const ranges: [number, number][] = [];
  for (let at = lower.indexOf(wanted); at >= 0 && ranges.length < 100; at = lower.indexOf(wanted, at + wanted.length)) {
    ranges.push([at, at + wanted.length]);
  }
  return ranges;
}
