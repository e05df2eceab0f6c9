import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMilli, milliOf } from "./quantity.ts";

const read: [string, number | undefined][] = [
  ["1", 1000],
  ["250m", 250],
  ["0.1", 100],
  ["0.3", 300],
  [".5", 500],
  ["1.", 1000],
  ["1e3", 1_000_000],
  ["12E2", 1_200_000],
  ["1500000n", 2],
  ["100u", 1],
  ["2k", 2_000_000],
  ["1Ki", 1_024_000],
  ["1.5Gi", 1_610_612_736_000],
  ["-2", -2000],
  ["1E", 1e21],
  ["", undefined],
  ["1 Gi", undefined],
  ["Gi", undefined],
  ["1x", undefined],
];
for (const [text, milli] of read) test(`"${text}" is ${milli} thousandths`, () => assert.equal(milliOf(text), milli));

const written: [number, string][] = [
  [1500, "1500m"],
  [2000, "2"],
  [3_000_000, "3k"],
  [0, "0"],
  [1_500_000, "1500"],
  [12_345_344_000, "12345344"],
];
for (const [milli, text] of written)
  test(`${milli} thousandths are "${text}"`, () => assert.equal(formatMilli(milli), text));
