/** Patterns to paths, in the order in which GitHub's toolkit finds them. */
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Stats } from "node:fs";
import { errorCode } from "#lib";
import { StepFailure } from "../../errors.ts";
import {
  descendantsOf,
  matchPattern,
  mayMatchBelow,
  parseGlobPattern,
  searchPathsOf,
  type GlobPattern,
  type PatternPlace,
} from "./glob-pattern.ts";

export interface GlobOptions extends PatternPlace {
  /** A pattern that matches a folder means all below it too. */
  readonly descendants: boolean;
  /** Leaves out what begins with a dot, and all below. */
  readonly withoutHidden?: boolean;
  readonly signal: AbortSignal;
}

export interface GlobResult {
  readonly paths: readonly string[];
  /** Where it was looked. */
  readonly searchPaths: readonly string[];
}

/** More is a mistake such as `/**`. */
const maxPaths = 1_000_000;

/** Folders are among the paths. Links are followed; those that lead nowhere or in a circle are left out. */
export async function glob(lines: readonly string[], options: GlobOptions): Promise<GlobResult> {
  const given = lines
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => parseGlobPattern(line, options));
  const patterns = given.flatMap((pattern) =>
    options.descendants && !pattern.endsWithGlobstar ? [pattern, descendantsOf(pattern)] : [pattern],
  );
  const walk = new Walk(patterns, options);
  for (const path of searchPathsOf(patterns)) await walk.visit(path, []);
  return { paths: walk.found, searchPaths: searchPathsOf(given) };
}

class Walk {
  readonly found: string[] = [];
  readonly #patterns: readonly GlobPattern[];
  readonly #options: GlobOptions;

  constructor(patterns: readonly GlobPattern[], options: GlobOptions) {
    this.#patterns = patterns;
    this.#options = options;
  }

  /** @param above real paths of the folders on the way here, by which circles are seen */
  async visit(path: string, above: readonly string[]): Promise<void> {
    this.#options.signal.throwIfAborted();
    const match = this.#match(path);
    const below = this.#patterns.some((pattern) => !pattern.negated && mayMatchBelow(pattern, path));
    if (match === "none" && !below) return;
    const found = await targetOf(path);
    if (found === undefined) return;
    if (this.#options.withoutHidden === true && basename(path).startsWith(".")) return;
    if (!found.isDirectory()) {
      if (match === "all") this.#add(path);
      return;
    }
    const real = await realpath(path);
    if (above.includes(real)) return;
    if (match !== "none") this.#add(path);
    if (!below) return;
    for (const name of (await readdir(path)).sort()) await this.visit(join(path, name), [...above, real]);
  }

  /** The last pattern that says something about the path decides. */
  #match(path: string): "none" | "folder" | "all" {
    let result: "none" | "folder" | "all" = "none";
    for (const pattern of this.#patterns) {
      const match = matchPattern(pattern, path);
      if (match === "none") continue;
      if (!pattern.negated) result = result === "all" ? "all" : match;
      else if (match === "all") result = "none";
    }
    return result;
  }

  #add(path: string): void {
    this.found.push(path);
    if (this.found.length > maxPaths) throw new StepFailure(`The patterns match over ${maxPaths} paths: narrow them`);
  }
}

async function targetOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ELOOP") return undefined;
    if (errorCode(error) === "ENOTDIR") return undefined;
    // What may not be read is an error only when it is what was asked for.
    if (errorCode(error) === "EACCES" && (await lstat(path).catch(() => undefined)) !== undefined) return undefined;
    throw error;
  }
}
