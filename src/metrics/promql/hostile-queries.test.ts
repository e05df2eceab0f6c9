import assert from "node:assert/strict";
import { test } from "node:test";
import { SeriesStore } from "../store/series-store.ts";
import { PromqlError } from "./errors.ts";
import { queryInstant, queryRange } from "./query.ts";

const nowMs = 10_000_000;

function storeOf(label: string): SeriesStore {
  const store = new SeriesStore({ retentionMs: 3_600_000 });
  store.append({ timeMs: nowMs, samples: [{ labels: { __name__: "up", job: label }, value: 1 }] });
  return store;
}

test("a subquery in a subquery in a subquery is refused, samples or none", () => {
  const query = "sum_over_time(sum_over_time(sum_over_time(vector(1)[2h:1s])[2h:1s])[2h:1s])";
  assert.throws(() => queryInstant(storeOf("x"), query, nowMs), PromqlError);
});

test("all steps of a range query together have one limit", () => {
  const range = { startMs: 0, endMs: 10_000_000, stepMs: 1000 };
  assert.throws(() => queryRange(storeOf("x"), "sum_over_time(vector(1)[1h:1s])", range), PromqlError);
});

test("a pattern that would backtrack for years answers", () => {
  const store = storeOf("a".repeat(5000));
  const found = queryInstant(store, 'up{job=~"((a|a)*)*!"}', nowMs);
  assert.deepEqual(found, { type: "vector", samples: [] });
  const replaced = queryInstant(store, 'label_replace(up, "x", "$1", "job", "(a+)+!")', nowMs);
  assert.equal(replaced.type === "vector" && replaced.samples[0]?.labels["x"], undefined);
});

test("a pattern that cannot be promised to end is refused as a bad query", () => {
  assert.throws(() => queryInstant(storeOf("x"), 'up{job=~"(?=a)"}', nowMs), PromqlError);
  assert.throws(() => queryInstant(storeOf("x"), String.raw`up{job=~"(a)\\1"}`, nowMs), PromqlError);
});
