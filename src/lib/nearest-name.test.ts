import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestName } from "./nearest-name.ts";

for (const [word, expected] of [
  ["pussh", "push"],
  ["pull-request", "pull_request"],
  ["psuh", "push"],
  ["nothing", undefined],
  ["b", undefined],
  ["", undefined],
  ["x".repeat(10_000), undefined],
] as const) {
  test(`"${word.slice(0, 20)}" means ${expected ?? "none of them"}`, () => {
    assert.equal(nearestName(word, ["pull_request", "push", "ab"]), expected);
  });
}
