import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { parseWorkflowFile } from "../parse/workflow-file.ts";
import { evaluateContainers } from "./containers.ts";

const text = `on: push
jobs:
  call:
    runs-on: docker
    uses: ./.forgejo/workflows/other.yml
  a:
    runs-on: docker
    services:
      db: { image: mysql, cmd: [mysqld, "--sql-mode=it's a; mode", "\${{ vars.MORE }}"] }
    steps: [{ run: "true" }]
`;

test("a service of Forgejo is started with its list of words, and a call may name a label", () => {
  const { value, problems } = parseWorkflowFile(".forgejo/workflows/ci.yml", text);
  deepEqual(problems, []);
  const job = value?.jobs[1];
  const containers = job === undefined ? {} : evaluateContainers(job, { vars: { MORE: "--b c" } });
  deepEqual(containers.serviceContainers?.["db"]?.command, "'mysqld' '--sql-mode=it'\\''s a; mode' '--b c'");
});

test("files of GitHub have neither", () => {
  const { problems } = parseWorkflowFile(".github/workflows/ci.yml", text);
  deepEqual(
    problems.map(({ at }) => at?.line),
    [5, 9],
  );
});
