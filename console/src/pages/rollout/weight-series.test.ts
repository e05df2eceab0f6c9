import assert from "node:assert/strict";
import { test } from "node:test";
import { newestRelease, weightSeries } from "./weight-series.ts";

function point(second: number, weight: number, podHash: string) {
  return { at: new Date(second * 1000).toISOString(), weight, podHash };
}

test("a share holds until the next change, and the last one until now", () => {
  const series = weightSeries([point(10, 0, "a"), point(20, 50, "a"), point(30, 100, "a")], 40_000);
  assert.deepEqual(series.times, [10, 20, 20, 30, 30, 40]);
  assert.deepEqual(series.weights, [0, 0, 50, 50, 100, 100]);
});

test("nothing happened is an empty chart", () => {
  assert.deepEqual(weightSeries([], 40_000), { times: [], weights: [] });
});

test("the newest release is what came after the last other revision, from nothing on", () => {
  const weights = [point(1, 100, "a"), point(2, 10, "b"), point(3, 50, "b")];
  assert.deepEqual(newestRelease(weights), [point(2, 0, "b"), point(2, 10, "b"), point(3, 50, "b")]);
});

test("a revision that came back is its newest release only", () => {
  const weights = [point(1, 10, "a"), point(2, 0, "b"), point(3, 10, "a")];
  assert.deepEqual(newestRelease(weights), [point(3, 0, "a"), point(3, 10, "a")]);
});
