/** Reports of several jobs to one: a line is covered when any of them has run it. Pure. */
import type { CoveredFile, FileCoverage } from "#api";
import { parseLines } from "./line-ranges.ts";

export function mergeCoverage(reports: readonly (readonly CoveredFile[])[]): readonly FileCoverage[] {
  const files = new Map<string, { readonly covered: Set<number>; readonly missed: Set<number> }>();
  for (const { path, covered, missed } of reports.flat()) {
    const file = files.get(path) ?? { covered: new Set(), missed: new Set() };
    files.set(path, file);
    for (const line of parseLines(covered) ?? []) file.covered.add(line);
    for (const line of parseLines(missed) ?? []) file.missed.add(line);
  }
  const merged = [...files].map(([path, { covered, missed }]) => ({
    path,
    covered: covered.size,
    lines: covered.union(missed).size,
  }));
  return merged.sort((a, b) => share(a) - share(b) || (a.path < b.path ? -1 : 1));
}

function share({ covered, lines }: FileCoverage): number {
  return lines === 0 ? 1 : covered / lines;
}
