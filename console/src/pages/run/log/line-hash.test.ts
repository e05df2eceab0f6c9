import assert from "node:assert/strict";
import { test } from "node:test";
import { lineHash, parseLineHash } from "./line-hash.ts";

test("a line is found again by its address", () => {
  assert.equal(lineHash({ step: 3, index: 119 }), "#step-3-line-120");
  assert.deepEqual(parseLineHash("#step-3-line-120"), { step: 3, index: 119 });
});

for (const hash of ["", "#content", "#step-3-line-0", "#step-x-line-1", "#step-3-line-12 "]) {
  test(`"${hash}" is no address of a line`, () => assert.equal(parseLineHash(hash), undefined));
}
