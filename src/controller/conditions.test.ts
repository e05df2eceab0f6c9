import assert from "node:assert/strict";
import { test } from "node:test";
import { setCondition } from "./conditions.ts";

const t1 = Temporal.Instant.from("2026-01-01T00:00:00Z");
const t2 = Temporal.Instant.from("2026-01-01T00:01:00Z");

test("an equal condition leaves the very same list, so that a no-op is seen", () => {
  const before = setCondition([], { type: "Ready", status: "True", reason: "Up" }, t1);
  assert.equal(setCondition(before, { type: "Ready", status: "True", reason: "Up" }, t2), before);
});

test("the transition time moves with the status only", () => {
  const first = setCondition([], { type: "Ready", status: "False", reason: "Starting" }, t1);
  const second = setCondition(first, { type: "Ready", status: "False", reason: "Waiting" }, t2);
  assert.equal(second[0]?.lastTransitionTime, "2026-01-01T00:00:00Z");
  assert.equal(second[0]?.lastUpdateTime, "2026-01-01T00:01:00Z");
  const third = setCondition(second, { type: "Ready", status: "True" }, t2);
  assert.equal(third[0]?.lastTransitionTime, "2026-01-01T00:01:00Z");
});
