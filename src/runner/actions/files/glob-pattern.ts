/**
 * One line of a list of patterns, as GitHub's toolkit understands it. Pure. The rules are minimatch's with braces,
 * extended globs and comments switched off and dot files matched: `*` and `?` within a segment, `[set]`, and `**` as a
 * whole segment for any number of them.
 */
import { dirname, join } from "node:path";
import { StepFailure } from "../../errors.ts";

type Segment = { readonly kind: "globstar" } | { readonly kind: "name"; readonly matches: RegExp };

export interface GlobPattern {
  readonly negated: boolean;
  /** The folder or file in front of the first wildcard. */
  readonly searchPath: string;
  /** Ends with `/`: means folders only. */
  readonly onlyFolders: boolean;
  /** Ends with a segment `**`. */
  readonly endsWithGlobstar: boolean;
  /** Made by us out of a pattern, to mean all below what it matches. */
  readonly implicit: boolean;
  readonly segments: readonly Segment[];
}

export interface PatternPlace {
  /** What relative patterns are relative to. */
  readonly cwd: string;
  /** What `~` is. */
  readonly home: string;
}

export function parseGlobPattern(line: string, place: PatternPlace): GlobPattern {
  let text = line.trim();
  let negated = false;
  for (; text.startsWith("!"); text = text.slice(1).trim()) negated = !negated;
  refuseRelative(text);
  const whole = absolute(text, place);
  const written = whole.split("/").filter((segment) => segment !== "");
  const literals = written.map(literalOf);
  const firstGlob = literals.findIndex((literal) => literal === undefined);
  const literal = firstGlob === -1 ? literals : literals.slice(0, firstGlob);
  return {
    negated,
    searchPath: `/${literal.join("/")}`,
    onlyFolders: whole.length > 1 && whole.endsWith("/"),
    endsWithGlobstar: written.at(-1) === "**",
    implicit: false,
    segments: written.map(toSegment),
  };
}

/** The pattern that means everything below. */
export function descendantsOf(pattern: GlobPattern): GlobPattern {
  const segments = [...pattern.segments, { kind: "globstar" as const }];
  return { ...pattern, segments, implicit: true, onlyFolders: false, endsWithGlobstar: true };
}

export type GlobMatch = "none" | "folder" | "all";

export function matchPattern(pattern: GlobPattern, path: string): GlobMatch {
  const parts = split(path);
  // `a/**` written by somebody means `a` too; what we add to mean its content does not.
  const floor = pattern.implicit ? 1 : 0;
  if (!matchSegments(pattern.segments, parts, floor)) return "none";
  return pattern.onlyFolders ? "folder" : "all";
}

/** Whether something below the folder `path` may match. */
export function mayMatchBelow(pattern: GlobPattern, path: string): boolean {
  return matchPartly(pattern.segments, split(path));
}

/** Search paths of the patterns that include, without those below another. */
export function searchPathsOf(patterns: readonly GlobPattern[]): readonly string[] {
  const wanted = new Set(patterns.filter((pattern) => !pattern.negated).map((pattern) => pattern.searchPath));
  return [...wanted].filter((path) => {
    for (let parent = path; parent !== dirname(parent);) {
      parent = dirname(parent);
      if (wanted.has(parent)) return false;
    }
    return true;
  });
}

function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

/** @param floor how many parts a globstar at the very end must take */
function matchSegments(segments: readonly Segment[], parts: readonly string[], floor: number): boolean {
  // Row by row instead of by recursion, so that many globstars cost their product and not its power.
  let reached = new Set([0]);
  for (const [index, segment] of segments.entries()) {
    const next = new Set<number>();
    const least = index === segments.length - 1 ? floor : 0;
    for (const at of reached) {
      if (segment.kind === "globstar") for (let end = at + least; end <= parts.length; end++) next.add(end);
      else if (at < parts.length && segment.matches.test(parts[at] ?? "")) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(parts.length);
}

function matchPartly(segments: readonly Segment[], parts: readonly string[]): boolean {
  for (const [index, segment] of segments.entries()) {
    if (index >= parts.length || segment.kind === "globstar") return true;
    if (!segment.matches.test(parts[index] ?? "")) return false;
  }
  return false;
}

function refuseRelative(text: string): void {
  const bad = text.split("/").some((segment, index) => segment === ".." || (segment === "." && index > 0));
  if (bad) throw new StepFailure(`Invalid pattern '${text}'. Relative pathing '.' and '..' is not allowed.`);
}

function absolute(text: string, { cwd, home }: PatternPlace): string {
  if (text === "." || text.startsWith("./")) return `${globEscape(cwd)}${text.slice(1)}`;
  if (text === "~" || text.startsWith("~/")) return `${globEscape(home)}${text.slice(1)}`;
  return text.startsWith("/") ? text : join(globEscape(cwd), "/", text);
}

function globEscape(path: string): string {
  return path.replaceAll(/[[\]?*\\]/g, "\\$&");
}

/** The name that the segment stands for; undefined when it has wildcards. */
function literalOf(segment: string): string | undefined {
  let literal = "";
  for (let at = 0; at < segment.length; at++) {
    const char = segment[at] ?? "";
    if (char === "\\" && at + 1 < segment.length) literal += segment[++at] ?? "";
    else if (char === "*" || char === "?" || (char === "[" && segment.includes("]", at + 1))) return undefined;
    else literal += char;
  }
  return literal;
}

function toSegment(segment: string): Segment {
  if (segment === "**") return { kind: "globstar" };
  let source = "";
  for (let at = 0; at < segment.length; at++) {
    const char = segment[at] ?? "";
    const closed = char === "[" ? segment.indexOf("]", at + 2) : -1;
    if (char === "\\" && at + 1 < segment.length) source += quoted(segment[++at] ?? "");
    else if (char === "*") source += source.endsWith("[^/]*") ? "" : "[^/]*";
    else if (char === "?") source += "[^/]";
    else if (closed !== -1) {
      source += setOf(segment.slice(at + 1, closed));
      at = closed;
    } else source += quoted(char);
  }
  return { kind: "name", matches: expression(source) ?? new RegExp(`^${quoted(segment)}$`, "su") };
}

/** A set such as `[z-a]` is none: then the segment is a name. */
function expression(source: string): RegExp | undefined {
  try {
    return new RegExp(`^${source}$`, "su");
  } catch {
    return undefined;
  }
}

function setOf(body: string): string {
  const inverted = body.startsWith("!") || body.startsWith("^");
  const inside = (inverted ? body.slice(1) : body).replaceAll(/[\\\]^[]/g, "\\$&");
  return `[${inverted ? "^" : ""}${inside}]`;
}

function quoted(text: string): string {
  return text.replaceAll(/[\\^$.|?*+()[\]{}/]/g, "\\$&");
}
