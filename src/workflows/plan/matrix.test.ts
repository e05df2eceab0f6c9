import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContextValue } from "../protocol.ts";
import { expandMatrix, jobName } from "./matrix.ts";

const cases: readonly { name: string; given: ContextValue; want: readonly ContextValue[] }[] = [
  {
    name: "the last list varies fastest",
    given: { os: ["linux", "mac"], node: [20, 26] },
    want: [
      { os: "linux", node: 20 },
      { os: "linux", node: 26 },
      { os: "mac", node: 20 },
      { os: "mac", node: 26 },
    ],
  },
  {
    name: "exclude takes out what has all its values",
    given: { os: ["linux", "mac"], node: [20, 26], exclude: [{ os: "MAC", node: "20" }] },
    want: [
      { os: "linux", node: 20 },
      { os: "linux", node: 26 },
      { os: "mac", node: 26 },
    ],
  },
  {
    name: "the example of the documentation",
    given: {
      fruit: ["apple", "pear"],
      animal: ["cat", "dog"],
      include: [
        { color: "green" },
        { color: "pink", animal: "cat" },
        { fruit: "apple", shape: "circle" },
        { fruit: "banana" },
        { fruit: "banana", animal: "cat" },
      ],
    },
    want: [
      { fruit: "apple", animal: "cat", color: "pink", shape: "circle" },
      { fruit: "apple", animal: "dog", color: "green", shape: "circle" },
      { fruit: "pear", animal: "cat", color: "pink" },
      { fruit: "pear", animal: "dog", color: "green" },
      { fruit: "banana" },
      { fruit: "banana", animal: "cat" },
    ],
  },
  { name: "include alone is the list of jobs", given: { include: [{ a: 1 }, { a: 2 }] }, want: [{ a: 1 }, { a: 2 }] },
  {
    name: "a filter looks into objects and leaves out what it does not name",
    given: {
      v: [
        { node: 20, npm: 6 },
        { node: 26, npm: 11 },
      ],
      exclude: [{ v: { node: 20 } }],
    },
    want: [{ v: { node: 26, npm: 11 } }],
  },
  { name: "exclude may take out all", given: { a: [1], exclude: [{ a: 1 }] }, want: [] },
];

for (const { name, given, want } of cases) {
  test(name, () => {
    assert.deepEqual(
      expandMatrix(given).map((combination) => combination.values),
      want,
    );
  });
}

const refused: readonly { name: string; given: ContextValue; want: RegExp }[] = [
  { name: "a value that is no list", given: { a: "x" }, want: /"a" must be a list/ },
  { name: "an empty list", given: { a: [], include: [{ b: 1 }] }, want: /list "a" is empty/ },
  {
    name: "an exclude by a key that is no list",
    given: { os: ["linux"], include: [{ arch: "arm" }], exclude: [{ OS: "linux", arch: "arm" }] },
    want: /"exclude" names "arch", which is no list of the matrix. Its lists are os/,
  },
  { name: "an include that is no list", given: { include: { a: 1 } }, want: /"include" must be a list of mappings/ },
  { name: "an include without values", given: { include: [{}] }, want: /must be a mapping with values/ },
  { name: "a text in place of a matrix", given: "[1]", want: /must be a mapping of lists/ },
  { name: "more jobs than allowed", given: { a: Array.from({ length: 257 }, (_, i) => i) }, want: /257 jobs of 256/ },
  {
    name: "a product that grows beyond all measure",
    given: Object.fromEntries(["a", "b", "c", "d"].map((key) => [key, Array.from({ length: 200 }, (_, i) => i)])),
    want: /over 5120 combinations/,
  },
];

for (const { name, given, want } of refused) {
  test(`${name} is refused`, () => assert.throws(() => expandMatrix(given), want));
}

test("names show the values of the lists, not what include added", () => {
  const [first, second] = expandMatrix({
    node: [20],
    include: [
      { node: 20, extra: true },
      { node: 26, extra: false },
    ],
  });
  assert.equal(jobName("test", first?.segments ?? []), "test (20)");
  assert.equal(jobName("test", second?.segments ?? []), "test (26, false)");
  assert.equal(jobName("x".repeat(120), ["y"]).length, 100);
});
