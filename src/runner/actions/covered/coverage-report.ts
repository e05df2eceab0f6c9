/** A report out of any format: which lines of which file have run. */
import type { CoveredFile } from "#api";

export type CoverageFormat = "lcov" | "cobertura" | "clover" | "jacoco" | "go" | "istanbul";

/** Collects hits; a line that is named twice has run when one of both has. */
export class CoverageLines {
  readonly #files = new Map<string, Map<number, boolean>>();

  hit(path: string, line: number, hits: number): void {
    if (path === "" || !Number.isInteger(line) || line < 1) return;
    const lines = this.#files.get(path) ?? new Map<number, boolean>();
    this.#files.set(path, lines);
    lines.set(line, (lines.get(line) ?? false) || hits > 0);
  }

  get files(): ReadonlyMap<string, ReadonlyMap<number, boolean>> {
    return this.#files;
  }
}

/** @param rename what a path of the report is called in the repository; several may become one */
export function coveredFiles(reports: readonly CoverageLines[], rename: (path: string) => string): CoveredFile[] {
  const merged = new CoverageLines();
  for (const report of reports) {
    for (const [path, lines] of report.files) {
      const name = rename(path);
      for (const [line, hit] of lines) merged.hit(name, line, hit ? 1 : 0);
    }
  }
  return [...merged.files].map(([path, lines]) => {
    const numbers = [...lines.keys()].sort((a, b) => a - b);
    return {
      path,
      covered: lineRanges(numbers.filter((line) => lines.get(line) === true)),
      missed: lineRanges(numbers.filter((line) => lines.get(line) !== true)),
    };
  });
}

/** Of numbers in order: `[1, 2, 3, 9]` is `1-3,9`. */
function lineRanges(lines: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const line of lines) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === line - 1) last[1] = line;
    else ranges.push([line, line]);
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(",");
}
