import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunView } from "#workflows";
import { combineRuns, statusContext } from "./run-status.ts";

function run(id: number, change: Partial<RunView> & { readonly file?: string } = {}): RunView {
  const { file = "ci.yml", ...rest } = change;
  return {
    id: String(id),
    number: id,
    attempt: 1,
    repository: "acme/shop",
    workflow: { name: "CI", path: `.github/workflows/${file}` },
    title: "Change",
    event: "push",
    ref: "refs/heads/main",
    sha: "a".repeat(40),
    actor: "ada",
    triggeringActor: "ada",
    status: "completed",
    conclusion: "success",
    cancelRequested: false,
    problems: [],
    createdAt: "2026-01-01T00:00:00Z",
    ...rest,
  };
}

/** Exact: no conclusion. */
function going(id: number, change: Parameters<typeof run>[1] = {}): RunView {
  const { conclusion: _none, ...rest } = run(id, { ...change, status: "in_progress" });
  return rest;
}

test("one run speaks for itself", () => {
  const told = combineRuns([run(7, { conclusion: "failure" })]);
  assert.deepEqual([told.state, told.description, told.run.id], ["failure", "Run #7: failure", "7"]);
});

test("of two workflows of one name the one that fails is told, whichever ends last", () => {
  const runs = [run(1, { file: "other.yml", conclusion: "failure" }), run(2)];
  for (const told of [combineRuns(runs), combineRuns(runs.toReversed())]) {
    assert.deepEqual([told.state, told.run.id], ["failure", "1"]);
    assert.equal(told.description, "Run #1 of other.yml at main: failure, worst of 2 runs");
  }
});

test("a run at a tag that still goes on keeps the success of the branch from being told", () => {
  const told = combineRuns([run(1), going(2, { ref: "refs/tags/v1" })]);
  assert.deepEqual([told.state, told.run.id], ["pending", "2"]);
});

test("a newer run of the same workflow at the same ref takes the place of an older", () => {
  const told = combineRuns([run(1, { conclusion: "failure" }), run(2)]);
  assert.deepEqual([told.state, told.description], ["success", "Run #2: success"]);
});

test("a cancelled run is an error, which a failure goes before", () => {
  const cancelled = run(1, { conclusion: "cancelled" });
  assert.equal(combineRuns([cancelled]).state, "error");
  assert.equal(combineRuns([cancelled, run(2, { file: "b.yml", conclusion: "failure" })]).state, "failure");
});

test("the key changes with every attempt and every change, and with nothing else", () => {
  const first = combineRuns([run(1), run(2, { file: "b.yml" })]).key;
  assert.equal(combineRuns([run(2, { file: "b.yml" }), run(1)]).key, first);
  assert.notEqual(combineRuns([run(1, { attempt: 2 }), run(2, { file: "b.yml" })]).key, first);
  assert.notEqual(combineRuns([run(1), going(2, { file: "b.yml" })]).key, first);
});

test("context and description keep to what forges take", () => {
  const long = run(1, { workflow: { name: "n".repeat(400), path: `${"p".repeat(300)}.yml` }, ref: "refs/heads/main" });
  const told = combineRuns([long, run(2)]);
  assert.ok(statusContext(long).length <= 255);
  assert.ok(told.description.length <= 140);
});
