import assert from "node:assert/strict";
import { test } from "node:test";
import { depthOf, ownName } from "./called-jobs.ts";

const jobs = [
  { id: "1", name: "deploy (a)" },
  { id: "2", name: "deploy (a) / build", parentId: "1" },
  { id: "3", name: "deploy (a) / build / compile / all", parentId: "2" },
  { id: "4", name: "other" },
];

test("jobs of called workflows stand below their callers, by their own names", () => {
  assert.deepEqual(
    jobs.map((job) => [depthOf(job, jobs), ownName(job, jobs)]),
    [
      [0, "deploy (a)"],
      [1, "build"],
      [2, "compile / all"],
      [0, "other"],
    ],
  );
});
