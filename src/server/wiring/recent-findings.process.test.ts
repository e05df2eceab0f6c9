import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "#lib";
import { lintFiles, policyPath, readPolicies } from "#lint";
import { RecentFindings } from "./recent-findings.ts";

const file = (title: string): { path: string; text: string } => ({
  path: ".github/workflows/title.yml",
  text: `on: pull_request\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: echo "\${{ github.event.pull_request.${title} }}"\n`,
});
const policy = (severity: string): ReadonlyMap<string, string> =>
  new Map([[policyPath, `rules:\n  template-injection:\n    severity: ${severity}\n`]]);

test("what was found before is what would be found now: for each text, and each policy", async () => {
  const recent = new RecentFindings(systemClock);
  for (const title of ["title", "body", "title", "head.ref"]) {
    for (const severity of ["error", "off", "note"]) {
      const found = await recent.lint([file(title)], policy(severity));
      deepEqual(found, lintFiles([file(title)], readPolicies(policy(severity)).value));
      equal(await recent.lint([file(title)], policy(severity)), found, "it is not looked for again");
    }
  }
});

test("only the last ones are remembered", async () => {
  const recent = new RecentFindings(systemClock);
  const first = await recent.lint([file("title")], new Map());
  for (let other = 0; other < 64; other++) await recent.lint([file(`other${other}`)], new Map());
  const again = await recent.lint([file("title")], new Map());
  deepEqual(again, first);
  equal(again === first, false);
});

test("large files, and those with aliases, are looked at in a thread, and found alike", async () => {
  const recent = new RecentFindings(systemClock);
  const { path, text } = file("title");
  const large = { path, text: `${text}${"      - run: echo\n".repeat(1_000)}` };
  const aliased = { path, text: `${text}      - &again { run: echo }\n      - *again\n` };
  for (const one of [large, aliased]) {
    deepEqual(await recent.lint([one], new Map()), lintFiles([one], readPolicies(new Map()).value));
  }
});
