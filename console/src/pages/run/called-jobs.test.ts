import assert from "node:assert/strict";
import { test } from "node:test";
import { depthOf, lastOf, ownName } from "./called-jobs.ts";

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

test("what waits for a call comes after the last jobs of the called workflow", () => {
  const job = (id: string, key: string, needs: readonly string[] = [], parentId?: string) => ({
    id,
    key,
    name: key,
    needs,
    ...(parentId === undefined ? {} : { parentId }),
  });
  const all = [
    job("1", "deploy"),
    job("2", "deploy:0/a", [], "1"),
    job("3", "deploy:0/b", ["deploy:0/a"], "1"),
    job("4", "deploy:0/c", [], "1"),
    job("5", "deploy:0/c:0/d", [], "4"),
    job("6", "after", ["deploy"]),
  ];
  assert.deepEqual(
    [all[0], all[1], all[5]].map((one) => (one === undefined ? [] : lastOf(one, all))),
    [["3", "5"], ["2"], ["6"]],
  );
});
