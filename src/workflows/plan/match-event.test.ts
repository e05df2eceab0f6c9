import assert from "node:assert/strict";
import { test } from "node:test";
import { parseWorkflowFile } from "../parse/workflow-file.ts";
import { matchEvent, type TriggerEvent } from "./match-event.ts";

function branch(name: string, ...changedPaths: string[]): TriggerEvent {
  const paths = changedPaths.length === 0 ? {} : { changedPaths };
  return { name: "push", ref: `refs/heads/${name}`, ...paths };
}

function tag(name: string, ...changedPaths: string[]): TriggerEvent {
  return { name: "push", ref: `refs/tags/${name}`, changedPaths };
}

function pull(baseBranch: string, action: string, ...changedPaths: string[]): TriggerEvent {
  return { name: "pull_request", action, baseBranch, changedPaths };
}

const cases: readonly { on: string; name: string; event: TriggerEvent; want: boolean }[] = [
  { name: "push without filters takes every branch", on: "push", event: branch("x/y"), want: true },
  { name: "push without filters takes every tag", on: "push", event: tag("v1"), want: true },
  { name: "an event that is not listed starts nothing", on: "pull_request", event: branch("main"), want: false },
  { name: "branches let other branches out", on: "{push: {branches: [main]}}", event: branch("next"), want: false },
  { name: "one branch may stand without a list", on: "{push: {branches: main}}", event: branch("main"), want: true },
  { name: "branches alone let tags out", on: "{push: {branches: [main]}}", event: tag("v1"), want: false },
  { name: "tags alone let branches out", on: "{push: {tags: ['v*']}}", event: branch("main"), want: false },
  { name: "tags-ignore alone lets branches out", on: "{push: {tags-ignore: [x]}}", event: branch("main"), want: false },
  { name: "with both, tags go by tags", on: "{push: {branches: [main], tags: ['v*']}}", event: tag("v1"), want: true },
  { name: "branches-ignore", on: "{push: {branches-ignore: ['wip/**']}}", event: branch("wip/a/b"), want: false },
  {
    name: "paths want one that matches",
    on: "{push: {paths: ['src/**']}}",
    event: branch("m", "a.md", "src/x"),
    want: true,
  },
  {
    name: "paths not touched start nothing",
    on: "{push: {paths: ['src/**']}}",
    event: branch("m", "a.md"),
    want: false,
  },
  {
    name: "a negated path is not touched",
    on: "{push: {paths: ['**', '!docs/**']}}",
    event: branch("m", "docs/a"),
    want: false,
  },
  {
    name: "paths-ignore wants one that is left",
    on: "{push: {paths-ignore: ['docs/**']}}",
    event: branch("m", "docs/a", "b"),
    want: true,
  },
  {
    name: "only ignored paths start nothing",
    on: "{push: {paths-ignore: ['docs/**']}}",
    event: branch("m", "docs/a"),
    want: false,
  },
  { name: "unknown paths match every path filter", on: "{push: {paths: ['src/**']}}", event: branch("m"), want: true },
  { name: "paths are not looked at for tags", on: "{push: {paths: ['src/**']}}", event: tag("v1", "a.md"), want: true },
  {
    name: "branch and path must both match",
    on: "{push: {branches: [main], paths: [a]}}",
    event: branch("x", "a"),
    want: false,
  },
  {
    name: "pull requests go by the branch they go into",
    on: "{pull_request: {branches: [main]}}",
    event: pull("main", "opened"),
    want: true,
  },
  {
    name: "pull requests into other branches",
    on: "{pull_request: {branches: [main]}}",
    event: pull("x", "opened"),
    want: false,
  },
  { name: "closing is no default type", on: "pull_request", event: pull("main", "closed"), want: false },
  {
    name: "types replace the default",
    on: "{pull_request: {types: [closed]}}",
    event: pull("main", "closed"),
    want: true,
  },
  {
    name: "a dispatch starts the file it names",
    on: "workflow_dispatch",
    event: { name: "workflow_dispatch", workflow: ".github/workflows/ci.yml" },
    want: true,
  },
  {
    name: "a dispatch of another file starts nothing",
    on: "workflow_dispatch",
    event: { name: "workflow_dispatch", workflow: ".github/workflows/other.yml" },
    want: false,
  },
];

for (const { name, on, event, want } of cases) {
  test(name, () => {
    const text = `on: ${on}\njobs: {a: {runs-on: x, steps: [{run: make}]}}\n`;
    const { value, problems } = parseWorkflowFile(".github/workflows/ci.yml", text);
    assert.deepEqual(problems, []);
    assert.equal(value !== undefined && matchEvent(value, event), want);
  });
}
