import assert from "node:assert/strict";
import { test } from "node:test";
import { agoText, durationText, growingText } from "./duration.ts";

const durations: readonly [number, string][] = [
  [-5, "0.0 s"],
  [420, "0.4 s"],
  [9949, "9.9 s"],
  [9951, "10 s"],
  [59_499, "59 s"],
  [59_500, "1 m 00 s"],
  [185_000, "3 m 05 s"],
  [3_599_600, "1 h 00 m"],
  [7_620_000, "2 h 07 m"],
  [356_400_000, "4 d 3 h"],
];
for (const [ms, text] of durations) {
  test(`${ms} ms reads "${text}"`, () => assert.equal(durationText(ms), text));
}

test("a growing span never shows a second that has not passed", () => {
  assert.equal(growingText(9999), "9 s");
  assert.equal(growingText(59_999), "59 s");
  assert.equal(growingText(60_000), "1 m 00 s");
});

const agos: readonly [number, string][] = [
  [-3000, "just now"],
  [4999, "just now"],
  [40_000, "40 s ago"],
  [3_599_999, "59 m ago"],
  [172_799_000, "47 h ago"],
  [172_800_000, "2 d ago"],
];
for (const [ms, text] of agos) {
  test(`${ms} ms in the past reads "${text}"`, () => assert.equal(agoText(ms), text));
}
