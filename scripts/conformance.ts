/**
 * `node scripts/conformance.ts [--languageservices folder] [--starter-workflows folder] [--act folder]`: how many cases
 * of the published suites for workflow files come out as expected. The suites are not part of this repository: give
 * working copies of actions/languageservices, actions/starter-workflows and nektos/act. With `--failures` each case that
 * fails is told. With `--jobs` jobs of starter workflows are run, too, where this machine has what they need.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { actCases } from "./conformance/act.ts";
import { expressionCases } from "./conformance/expressions.ts";
import { readerCases } from "./conformance/reader.ts";
import { starterCases } from "./conformance/starter.ts";
import { starterJobs } from "./conformance/starter-jobs.ts";
import { tally, type Case } from "./conformance/tally.ts";

const { values } = parseArgs({
  options: {
    languageservices: { type: "string" },
    "starter-workflows": { type: "string" },
    act: { type: "string" },
    failures: { type: "boolean", default: false },
    jobs: { type: "boolean", default: false },
  },
});

interface Suite {
  readonly name: string;
  readonly option: "languageservices" | "starter-workflows" | "act";
  readonly folder: string;
  readonly cases: (folder: string) => AsyncIterable<Case> | Iterable<Case>;
}

const runJobs: readonly Suite[] = values.jobs
  ? [{ name: "starter workflows", option: "starter-workflows", folder: "", cases: starterJobs }]
  : [];

const suites: readonly Suite[] = [
  { name: "expressions", option: "languageservices", folder: "expressions/testdata", cases: expressionCases },
  { name: "workflow reader", option: "languageservices", folder: "workflow-parser/testdata", cases: readerCases },
  { name: "starter workflows", option: "starter-workflows", folder: "", cases: starterCases },
  { name: "act", option: "act", folder: "pkg/runner/testdata", cases: actCases },
  ...runJobs,
];

let failed = 0;
for (const { name, option, folder, cases } of suites) {
  const given = values[option];
  const place = given === undefined ? undefined : join(given, folder);
  if (place === undefined || !existsSync(place)) {
    console.log(`${name}: skipped, ${place === undefined ? `no --${option} was given` : `there is no ${place}`}`);
    continue;
  }
  failed += await tally(name, cases(place), values.failures);
}
process.exitCode = failed === 0 ? 0 : 1;
