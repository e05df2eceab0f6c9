import assert from "node:assert/strict";
import { test } from "node:test";
import { parseResident, parseStat } from "./process-usage.ts";

test("time is that of the process and of its children that ended, also when its name holds a parenthesis", () => {
  const stat = "42 (a (b) c) S 1 40 39 0 -1 4194304 100 0 0 0 7 3 20 10 20 0 1 0 12345 1000 200 1844";
  assert.deepEqual(parseStat(stat), { session: 39, cpuMs: 400 });
});

test("what is no line of stat is nothing", () => {
  assert.equal(parseStat(""), undefined);
});

test("memory is what is resident; a kernel thread has none", () => {
  assert.equal(parseResident("Name:\tx\nVmRSS:\t    2048 kB\n"), 2_097_152);
  assert.equal(parseResident("Name:\tkthreadd\n"), 0);
});
