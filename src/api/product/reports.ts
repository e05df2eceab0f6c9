/** What jobs have reported of the code: coverage by tests, and findings of scanners. */

/** One file of a report, line numbers as ranges: `1-5,9`. A line is in one of both or in none. */
export interface CoveredFile {
  /** Relative to the repository, with slashes. */
  readonly path: string;
  readonly covered: string;
  readonly missed: string;
}

export interface FileCoverage {
  readonly path: string;
  /** Lines that could have run. */
  readonly lines: number;
  readonly covered: number;
}

export interface ReportSource {
  readonly id: number;
  /** Name of the job. */
  readonly job: string;
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** Over all reports of the run: a line counts as covered when any of them has run it. */
export interface RunCoverage {
  readonly lines: number;
  readonly covered: number;
  /** Least covered first. */
  readonly files: readonly FileCoverage[];
  readonly uploads: readonly (ReportSource & { readonly flags: readonly string[]; readonly files: number })[];
}

/** SARIF's levels; `none` is a note. */
export type FindingLevel = "error" | "warning" | "note";

export interface CodeFinding {
  readonly tool: string;
  readonly rule: string;
  readonly level: FindingLevel;
  readonly message: string;
  readonly path?: string;
  readonly line?: number;
  readonly column?: number;
  readonly help?: string;
}

export interface RunFindings {
  /** Errors first. */
  readonly items: readonly CodeFinding[];
  readonly uploads: readonly (ReportSource & { readonly results: number })[];
}

/** Of one report: more would make a page of nobody. */
export const maxFindings = 5_000;
export const maxCoveredFiles = 50_000;

/** A share as people read it: rounded down, so that 100 % means all. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return "–";
  return `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`;
}
