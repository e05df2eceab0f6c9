/** actions/starter-workflows: every file with jobs is read without an error. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatProblem } from "../../src/lib/index.ts";
import { parseWorkflowFile } from "../../src/workflows/index.ts";
import { judged, type Case } from "./tally.ts";

/** Put in by GitHub when somebody chooses the workflow. */
const placeholders: readonly (readonly [RegExp, string])[] = [
  [/\$default-branch/g, "main"],
  [/\$protected-branches/g, "main"],
  [/\$cron-weekly/g, "30 4 * * 1"],
  [/\$cron-daily/g, "30 4 * * *"],
  [/\$detected-codeql-languages/g, ""],
  [/\$codeql-languages-matrix/g, "language: [actions]"],
  [/\{\{ groupId \}\}/g, "1"],
];

export function* starterCases(folder: string): Generator<Case> {
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    if (!/\.ya?ml$/.test(file)) continue;
    const raw = readFileSync(join(folder, file), "utf8");
    if (!/^jobs:/m.test(raw)) continue;
    const text = fillPlaceholders(raw);
    yield judged(file, "read without an error", () => errorsOf(`.github/workflows/${file.replaceAll("/", "-")}`, text));
  }
}

/** As it is when somebody has chosen it. */
export function fillPlaceholders(text: string): string {
  return placeholders.reduce((all, [pattern, value]) => all.replaceAll(pattern, value), text);
}

/** The first errors of the file; undefined when it has none. */
export function errorsOf(path: string, text: string): string | undefined {
  const errors = parseWorkflowFile(path, text).problems.filter((problem) => problem.severity !== "warning");
  return errors.length === 0 ? undefined : errors.slice(0, 3).map(formatProblem).join("; ");
}
