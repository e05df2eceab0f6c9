/** Files of problem matchers, `{"problemMatcher": [...]}`, to typed values: pure. */
import { isObject, linearPattern, type LinearPattern } from "#lib";
import { StepFailure } from "../errors.ts";

/** What a pattern may take out of a line, each by the number of its group. */
export const matchedParts = ["file", "line", "column", "severity", "code", "message", "fromPath"] as const;
type MatchedPart = (typeof matchedParts)[number];

export interface MatcherPattern {
  readonly pattern: LinearPattern;
  readonly groups: Readonly<Partial<Record<MatchedPart, number>>>;
  /** Only of the last one: it may match again and again under what those before it have matched. */
  readonly loop: boolean;
}

export interface MatcherConfig {
  readonly owner: string;
  /** For problems of which no pattern says it. */
  readonly severity: string;
  readonly fromPath: string;
  readonly patterns: readonly MatcherPattern[];
}

const maxBytes = 1024 * 1024;
const maxMatchers = 100;
const maxPatterns = 20;

/** Throws `StepFailure` with what is wrong with the file. */
export function parseMatchers(text: string, file: string): MatcherConfig[] {
  if (text.length > maxBytes) throw wrong(file, "it is over 1 MiB");
  let value: unknown;
  try {
    // As many editors write them.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw wrong(file, "it is not JSON");
  }
  const list = isObject(value) ? value["problemMatcher"] : undefined;
  if (!Array.isArray(list)) throw wrong(file, 'it has no list "problemMatcher"');
  if (list.length > maxMatchers) throw wrong(file, `it has over ${maxMatchers} matchers`);
  return list.map((entry: unknown) => readMatcher(entry, file));
}

function readMatcher(entry: unknown, file: string): MatcherConfig {
  if (!isObject(entry)) throw wrong(file, "a matcher is no object");
  const owner = text(entry["owner"]);
  if (owner === "") throw wrong(file, 'a matcher has no "owner"');
  const patterns = entry["pattern"];
  if (!Array.isArray(patterns) || patterns.length === 0) throw wrong(file, `matcher "${owner}" has no "pattern"`);
  if (patterns.length > maxPatterns) throw wrong(file, `matcher "${owner}" has over ${maxPatterns} patterns`);
  const read = patterns.map((pattern: unknown, index) =>
    readPattern(pattern, index === patterns.length - 1 && index > 0, owner, file),
  );
  if (!read.some(({ groups }) => groups.message !== undefined)) {
    throw wrong(file, `matcher "${owner}" has no pattern with "message"`);
  }
  return { owner, severity: text(entry["severity"]), fromPath: text(entry["fromPath"]), patterns: read };
}

function readPattern(entry: unknown, mayLoop: boolean, owner: string, file: string): MatcherPattern {
  if (!isObject(entry)) throw wrong(file, `a pattern of matcher "${owner}" is no object`);
  const loop = entry["loop"] === true;
  if (loop && !mayLoop) throw wrong(file, `matcher "${owner}": only the last of several patterns may loop`);
  const groups = matchedParts.flatMap((part) => {
    const group = entry[part];
    if (group === undefined || group === null) return [];
    const index = Number(group);
    if (!Number.isInteger(index) || index < 0) {
      throw wrong(file, `matcher "${owner}": "${part}" must be the number of a group`);
    }
    return [[part, index] as const];
  });
  const source = text(entry["regexp"]);
  if (source === "") throw wrong(file, `a pattern of matcher "${owner}" has no "regexp"`);
  return { pattern: compiled(source, owner, file), groups: Object.fromEntries(groups), loop };
}

function compiled(source: string, owner: string, file: string): LinearPattern {
  try {
    return linearPattern(source);
  } catch (error) {
    throw wrong(file, `matcher "${owner}": ${error instanceof Error ? error.message : String(error)}`);
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function wrong(file: string, what: string): StepFailure {
  return new StepFailure(`Cannot read problem matchers of "${file}": ${what}`);
}
