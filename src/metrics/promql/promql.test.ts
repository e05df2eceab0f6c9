import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { PromqlError } from "./errors.ts";
import { readScript, runCase } from "./promql-script.cases.ts";

for (const file of globSync(join(import.meta.dirname, "testdata", "*.promqltest"))) {
  const { store, cases } = readScript(readFileSync(file, "utf8"));
  for (const { query, timeMs, fails, want } of cases) {
    test(`${basename(file)}: ${query} at ${timeMs / 1000} s`, () => {
      if (fails) {
        assert.throws(() => runCase(store, query, timeMs), PromqlError);
        return;
      }
      const got = runCase(store, query, timeMs);
      assert.deepEqual([...got.keys()].sort(), [...want.keys()].sort());
      for (const [labels, value] of want) {
        const found = got.get(labels) ?? Number.NaN;
        assert.ok(Object.is(found, value) || Math.abs(found - value) < 1e-9, `${labels}: got ${found}, want ${value}`);
      }
    });
  }
}
