/** "Here is what is wrong": found by parsers, validators and renderers, accumulated rather than thrown. */

/** A place in a text a person wrote. Lines and columns count from 1. */
export interface Location {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
}

export interface Problem {
  /** Where in the value, e.g. `spec.strategy.canary.steps[2].setWeight`; empty for the whole. */
  readonly path: string;
  /** What is wrong and what to do about it. Never contains a secret. */
  readonly message: string;
  readonly at?: Location;
  /** A warning does not stop what was asked for. */
  readonly severity?: "error" | "warning";
}

/** A result of reading something a person wrote. `value` may be there although there are problems. */
export interface Checked<T> {
  readonly value?: T;
  readonly problems: readonly Problem[];
}

/** `file:line:column: path: message`, the form editors and terminals make clickable. */
export function formatProblem(problem: Problem): string {
  const parts: string[] = [];
  if (problem.at !== undefined) {
    const { file, line, column } = problem.at;
    parts.push([file, line, column].filter((part) => part !== undefined).join(":"));
  }
  if (problem.path !== "") parts.push(problem.path);
  parts.push(problem.message);
  return parts.join(": ");
}

/** One line a problem. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join("\n");
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity !== "warning");
}
