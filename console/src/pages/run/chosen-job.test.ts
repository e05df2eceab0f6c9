import assert from "node:assert/strict";
import { test } from "node:test";
import { chosenJob } from "./chosen-job.ts";

const passed = { id: "1", key: "lint", status: "completed", conclusion: "success" } as const;
const running = { id: "2", key: "test", status: "in_progress" } as const;
const failed = { id: "3", key: "image", status: "completed", conclusion: "failure" } as const;

const cases = [
  { name: "the one asked for by id", jobs: [passed, running, failed], asked: "2", want: running },
  { name: "the one asked for by key", jobs: [passed, running, failed], asked: "lint", want: passed },
  { name: "a failed one before a running one", jobs: [passed, running, failed], asked: undefined, want: failed },
  { name: "a running one before a finished one", jobs: [passed, running], asked: "gone", want: running },
  { name: "the first, when nothing stands out", jobs: [passed], asked: undefined, want: passed },
  { name: "none of none", jobs: [], asked: undefined, want: undefined },
];
for (const { name, jobs, asked, want } of cases) {
  test(`shown first: ${name}`, () => assert.equal(chosenJob(jobs, asked), want));
}
