/**
 * A Dockerfile as logical lines: parser directives read, comments dropped, continuations joined, heredoc bodies taken
 * off the lines that follow. Knows nothing of what the instructions mean.
 */
import type { Heredoc } from "./instruction.ts";

export interface LogicalLine {
  /** Where the instruction's first word stands, from 1. */
  readonly line: number;
  readonly column: number;
  readonly keyword: string;
  readonly rest: string;
  readonly heredocs: readonly Heredoc[];
  /** A heredoc whose end was not found before the file ended. */
  readonly openHeredoc?: string;
}

export interface DockerfileLines {
  readonly escape: "\\" | "`";
  readonly badEscape?: { readonly line: number; readonly value: string };
  readonly lines: readonly LogicalLine[];
}

const withHeredocs = new Set(["RUN", "COPY", "ADD"]);

export function readLines(text: string): DockerfileLines {
  const physical = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const { escape, next, badEscape } = readDirectives(physical);
  const lines: LogicalLine[] = [];
  let at = next;
  while (at < physical.length) {
    const raw = physical[at] ?? "";
    if (raw.trim() === "" || isComment(raw)) {
      at++;
      continue;
    }
    const joined = joinContinuations(physical, at, escape);
    const match = /^\s*(\S+)\s*([\s\S]*)$/.exec(joined.text);
    const keyword = (match?.[1] ?? "").toUpperCase();
    const rest = (match?.[2] ?? "").trim();
    const body = takeHeredocs(physical, joined.next, keyword, rest);
    const column = raw.length - raw.trimStart().length + 1;
    lines.push({
      line: at + 1,
      column,
      keyword,
      rest,
      heredocs: body.heredocs,
      ...(body.open === undefined ? {} : { openHeredoc: body.open }),
    });
    at = body.next;
  }
  return { escape, lines, ...(badEscape === undefined ? {} : { badEscape }) };
}

/** Directives (`# escape=`, `# syntax=`) count only before the first comment, blank line or instruction. */
function readDirectives(physical: readonly string[]): {
  escape: "\\" | "`";
  next: number;
  badEscape?: { line: number; value: string };
} {
  let escape: "\\" | "`" = "\\";
  let next = 0;
  for (; next < physical.length; next++) {
    const match = /^#\s*([a-zA-Z]+)\s*=\s*(.*?)\s*$/.exec(physical[next] ?? "");
    const name = match?.[1]?.toLowerCase();
    if (name !== "escape" && name !== "syntax" && name !== "check") break;
    if (name !== "escape") continue;
    const value = match?.[2] ?? "";
    if (value !== "\\" && value !== "`") return { escape, next: next + 1, badEscape: { line: next + 1, value } };
    escape = value;
  }
  return { escape, next };
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith("#");
}

/** Comment and blank lines inside a continued instruction are dropped, as Docker does. */
function joinContinuations(physical: readonly string[], start: number, escape: string): { text: string; next: number } {
  const continued = escape === "\\" ? /\\[ \t]*$/ : /`[ \t]*$/;
  let text = "";
  let at = start;
  for (; at < physical.length; at++) {
    const line = physical[at] ?? "";
    if (at > start && (line.trim() === "" || isComment(line))) continue;
    if (!continued.test(line)) return { text: text + line, next: at + 1 };
    text += line.replace(continued, "");
  }
  return { text, next: at };
}

function takeHeredocs(
  physical: readonly string[],
  start: number,
  keyword: string,
  rest: string,
): { heredocs: Heredoc[]; next: number; open?: string } {
  const heredocs: Heredoc[] = [];
  let next = start;
  const inner = keyword === "ONBUILD" ? (/^\S+/.exec(rest)?.[0] ?? "").toUpperCase() : keyword;
  if (!withHeredocs.has(inner)) return { heredocs, next };
  for (const mark of rest.matchAll(/(?<=^|\s)\d*<<(-?)(["']?)([a-zA-Z_][\w.-]*)\2(?=\s|$|[;&|>)])/g)) {
    const [, dash, quote, name = ""] = mark;
    const body: string[] = [];
    let closed = false;
    while (next < physical.length && !closed) {
      const line = dash === "-" ? (physical[next] ?? "").replace(/^\t+/, "") : (physical[next] ?? "");
      next++;
      if (line === name) closed = true;
      else body.push(line);
    }
    if (!closed) return { heredocs, next, open: name };
    heredocs.push({ name, content: body.length === 0 ? "" : `${body.join("\n")}\n`, expand: quote === "" });
  }
  return { heredocs, next };
}
