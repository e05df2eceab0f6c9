import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { changedRange, diffLines, inPairs, withGaps } from "./diff-lines.ts";

function shown(live: string, target: string): string[] {
  return diffLines(live, target).map(({ kind, text }) => `${{ same: " ", drop: "-", add: "+" }[kind]}${text}`);
}

const cases = [
  { name: "equal texts differ in nothing", live: "a\nb\n", target: "a\nb\n", want: [" a", " b"] },
  {
    name: "a changed line is dropped and added",
    live: "a\nb\nc\n",
    target: "a\nx\nc\n",
    want: [" a", "-b", "+x", " c"],
  },
  { name: "a new object is all added", live: "", target: "a\nb\n", want: ["+a", "+b"] },
  { name: "a pruned object is all dropped", live: "a\n", target: "", want: ["-a"] },
  { name: "a missing end of the last line is no difference", live: "a\nb", target: "a\nb\n", want: [" a", " b"] },
  { name: "an empty line is a line", live: "a\n\nb\n", target: "a\nb\n", want: [" a", "-", " b"] },
];
for (const { name, live, target, want } of cases) test(name, () => assert.deepEqual(shown(live, target), want));

test("each side of a diff is its text again, numbers ascend, and no line is kept that could be", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 25 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const lines = diffLines(a.map((line) => `${line}\n`).join(""), b.map((line) => `${line}\n`).join(""));
      assert.deepEqual(
        lines.filter(({ kind }) => kind !== "add").map(({ text: line }) => line),
        a,
      );
      assert.deepEqual(
        lines.filter(({ kind }) => kind !== "drop").map(({ text: line }) => line),
        b,
      );
      assert.deepEqual(
        lines.flatMap(({ live }) => live ?? []),
        a.map((_, at) => at + 1),
      );
      assert.deepEqual(
        lines.flatMap(({ target }) => target ?? []),
        b.map((_, at) => at + 1),
      );
      assert.equal(lines.filter(({ kind }) => kind === "same").length, longestCommon(a, b));
    }),
  );
});

/** The textbook table, as the measure of what the fast one finds. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  let above = b.map(() => 0).concat(0);
  for (const line of a) {
    const row = [0];
    b.forEach((other, at) =>
      row.push(line === other ? (above[at] ?? 0) + 1 : Math.max(above[at + 1] ?? 0, row[at] ?? 0)),
    );
    above = row;
  }
  return above[b.length] ?? 0;
}

test("texts with nothing in common and of any size end in bounded time", () => {
  const live = Array.from({ length: 20_000 }, (_, at) => `live ${at}`).join("\n");
  const target = Array.from({ length: 20_000 }, (_, at) => `target ${at}`).join("\n");
  const started = performance.now();
  assert.equal(diffLines(live, target).length, 40_000);
  assert.ok(performance.now() - started < 3000);
});

test("far from a change, lines are left out", () => {
  const live = Array.from({ length: 20 }, (_, at) => `${at}`);
  const parts = withGaps(diffLines(live.join("\n"), live.with(10, "x").join("\n")), 2);
  assert.deepEqual(
    parts.map(({ kind, lines }) => `${kind} ${lines.length}`),
    ["gap 8", "lines 6", "gap 7"],
  );
});

test("side by side, what replaces stands beside what it replaces", () => {
  const pairs = inPairs(diffLines("a\nb\nc\nd\n", "a\nx\nd\n"));
  assert.deepEqual(
    pairs.map(({ live, target }) => `${live?.text ?? "∅"}|${target?.text ?? "∅"}`),
    ["a|a", "b|x", "c|∅", "d|d"],
  );
});

test("of two lines, exactly the piece that differs is marked", () => {
  assert.deepEqual(changedRange("image: shop:v1", "image: shop:v22"), { from: 13, to: 14 });
  assert.deepEqual(changedRange("aa", "aaa"), { from: 2, to: 2 });
  assert.deepEqual(changedRange("aaa", "aa"), { from: 2, to: 3 });
});
