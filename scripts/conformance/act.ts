/** `pkg/runner/testdata` of nektos/act: workflows that its runner is tested with, some of them wrong on purpose. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errorsOf } from "./starter.ts";
import { judged, type Case } from "./tally.ts";

/** What is wrong in them is what they test. */
const wrong =
  /issue-1595|job-nil-step|uses-and-run-in-one-step|uses-github-empty|uses-github-noref|job-container-invalid-credentials|workflow_call_inputs/;

export function* actCases(folder: string): Generator<Case> {
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
    if (!/\.ya?ml$/.test(file)) continue;
    const text = readFileSync(join(folder, file), "utf8");
    if (!/^jobs:/m.test(text)) continue;
    const path = `.github/workflows/${file.replaceAll("/", "-")}`;
    if (wrong.test(file)) {
      yield judged(file, "refused", () => (errorsOf(path, text) === undefined ? "it has no error" : undefined));
    } else yield judged(file, "read without an error", () => errorsOf(path, text));
  }
}
