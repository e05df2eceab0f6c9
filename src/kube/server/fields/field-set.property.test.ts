import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { difference, type FieldSet, intersection, leaf, pathsOf, self, union } from "./field-set.ts";

const steps = ["f:a", "f:b", 'k:{"name":"x"}', "v:1"] as const;
const paths = fc.uniqueArray(
  fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: 3 }).map((path) => path.join(" ")),
  { maxLength: 8 },
);

function setOf(texts: Iterable<string>): FieldSet | undefined {
  let root: FieldSet | undefined;
  for (const text of texts) {
    const path = text.split(" ").reduceRight<FieldSet>((inner, step) => ({ [step]: inner }), leaf);
    root = union(root, path);
  }
  return root;
}

function textsOf(set: FieldSet | undefined): Set<string> {
  return new Set(pathsOf(set).map((path) => path.join(" ")));
}

function assertNormal(node: FieldSet | undefined): void {
  if (node === undefined) return;
  const inner = Object.keys(node);
  assert.ok(!(inner.length === 1 && inner[0] === self), "a node that holds only itself is a leaf");
  for (const step of inner) assertNormal(node[step]);
}

test("field sets are sets of paths under union, difference and intersection", () => {
  fc.assert(
    fc.property(paths, paths, (a, b) => {
      const [setA, setB] = [setOf(a), setOf(b)];
      const before = JSON.stringify([setA, setB]);
      const cases: [FieldSet | undefined, Set<string>][] = [
        [setA, new Set(a)],
        [union(setA, setB), new Set(a).union(new Set(b))],
        [difference(setA, setB), new Set(a).difference(new Set(b))],
        [intersection(setA, setB), new Set(a).intersection(new Set(b))],
      ];
      for (const [got, want] of cases) {
        assert.deepEqual(textsOf(got), want);
        assertNormal(got);
      }
      assert.equal(JSON.stringify([setA, setB]), before, "what goes in stays as it was");
    }),
    { numRuns: 1000 },
  );
});
