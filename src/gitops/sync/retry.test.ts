import assert from "node:assert/strict";
import { test } from "node:test";
import type { OperationState } from "#api";
import { mayRetry, retryDelayMs } from "./retry.ts";

test("retries wait 5 s, twice as long each time, at most 3 minutes", () => {
  const delays = [0, 1, 2, 3, 4, 5, 6].map((count) => retryDelayMs({}, count) / 1000);

  assert.deepEqual(delays, [5, 10, 20, 40, 80, 160, 180]);
});

test("a bare number is seconds, a factor and a ceiling are kept", () => {
  const retry = { backoff: { duration: "2", factor: 3, maxDuration: "10s" } };

  assert.deepEqual(
    [0, 1, 2].map((count) => retryDelayMs(retry, count) / 1000),
    [2, 6, 10],
  );
});

test("automated syncs have five retries when nobody says otherwise, others none, below zero is without end", () => {
  const state = (operation: OperationState["operation"], retryCount: number): OperationState => ({
    operation,
    retryCount,
    phase: "Failed",
    startedAt: "",
  });

  assert.equal(mayRetry(state({}, 0)), false);
  assert.equal(mayRetry(state({ initiatedBy: { automated: true } }, 4)), true);
  assert.equal(mayRetry(state({ initiatedBy: { automated: true } }, 5)), false);
  assert.equal(mayRetry(state({ retry: { limit: -1 } }, 1000)), true);
});
