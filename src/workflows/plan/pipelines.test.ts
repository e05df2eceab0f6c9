/** Pipelines as teams have them: read without a word, and planned as their authors mean them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { parseWorkflowFile } from "../parse/workflow-file.ts";
import type { Workflow } from "../parse/model.ts";
import type { EnvironmentRules } from "./environment-gate.ts";
import { matchEvent, type TriggerEvent } from "./match-event.ts";
import { Simulation } from "./simulation.ts";

function pipeline(name: string): Workflow {
  const text = readFileSync(join(import.meta.dirname, "../testdata", name), "utf8");
  const { value, problems } = parseWorkflowFile(`.github/workflows/${name}`, text);
  assert.deepEqual(problems, []);
  return value ?? assert.fail();
}

/** Every job that may run succeeds; what ran, in order. */
function ran(workflow: Workflow, ref: string): readonly string[] {
  const run = new Simulation(workflow, { ref, sha: "5".repeat(40), event: {} }).settle();
  for (let job = next(run); job !== undefined; job = next(run)) run.end(job, "success");
  assert.notEqual(run.conclusion, undefined);
  return run.queued;
}

function next(run: Simulation): string | undefined {
  return run.jobs.find((job) => job.status === "queued")?.id;
}

const push: TriggerEvent = { name: "push", ref: "refs/heads/main" };
const pull: TriggerEvent = { name: "pull_request", action: "opened", baseBranch: "main" };
const elsewhere: readonly TriggerEvent[] = [
  { name: "push", ref: "refs/heads/topic" },
  { name: "push", ref: "refs/tags/v1" },
  { name: "pull_request", action: "opened", baseBranch: "topic" },
  { name: "pull_request", action: "labeled", baseBranch: "main" },
];

describe("of a pipeline", () => {
  const cases = [
    {
      file: "production-pipeline.yml",
      onMain: ["quality", "security", "build", "deploy-staging", "deploy-prod"],
      onPull: ["quality", "security"],
      environments: { "deploy-staging": "staging", "deploy-prod": "production" },
    },
    {
      file: "python-ecr-helm.yml",
      onMain: ["test", "build-and-push", "deploy-staging"],
      onPull: ["test"],
      environments: {},
    },
  ];
  for (const { file, onMain, onPull, environments } of cases) {
    test(`${file} all jobs run on main, and those that deploy nowhere else`, () => {
      const workflow = pipeline(file);
      assert.ok(matchEvent(workflow, push) && matchEvent(workflow, pull));
      assert.deepEqual(
        elsewhere.filter((event) => matchEvent(workflow, event)),
        [],
      );
      assert.deepEqual(ran(workflow, "refs/heads/main"), onMain);
      assert.deepEqual(ran(workflow, "refs/pull/7/merge"), onPull);
      const named = workflow.jobs.flatMap(({ key, environment }) =>
        environment === undefined ? [] : [[key, environment.name]],
      );
      assert.deepEqual(Object.fromEntries(named), environments);
    });
  }

  test("the deployment to production waits for its reviewer, all before it done, and goes on with the approval", () => {
    const rules = (name: string, reviewers: EnvironmentRules["reviewers"]): EnvironmentRules => ({
      name,
      reviewers,
      preventSelfReview: false,
      adminsBypass: true,
      waitMinutes: 0,
      branchPolicy: { kind: "all" },
    });
    const run = new Simulation(pipeline("production-pipeline.yml"));
    run.rules = new Map([
      ["staging", rules("staging", [])],
      ["production", rules("production", [{ kind: "user", name: "ada" }])],
    ]);
    run.settle();
    for (let job = next(run); job !== undefined; job = next(run)) run.end(job, "success");
    assert.deepEqual(run.queued, ["quality", "security", "build", "deploy-staging"]);
    assert.deepEqual([run.state("deploy-prod"), run.conclusion], ["waiting", undefined]);
    assert.equal(run.review("deploy-prod", "approved").end("deploy-prod", "success").conclusion, "success");
  });

  test("a job that fails keeps those after it from running, with the reason on each", () => {
    const run = new Simulation(pipeline("production-pipeline.yml")).settle();
    run.end("quality", "success").end("security", "failure");
    assert.equal(run.conclusion, "failure");
    assert.deepEqual(run.messages, [
      'Needs "security", which failed',
      'Needs "build", which was skipped',
      'Needs "deploy-staging", which was skipped',
    ]);
  });
});
