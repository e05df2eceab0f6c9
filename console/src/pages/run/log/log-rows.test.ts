import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunLogLine } from "#api";
import { firstError, type Folds, lineContent, noFolds, revealed, visibleRows } from "./log-rows.ts";

function lines(...texts: string[]): RunLogLine[] {
  return texts.map((text, line) => ({ step: 1, line, time: "2026-01-01T00:00:00Z", text }));
}

function shown(texts: string[], folds: Folds = noFolds, open = true): string[] {
  return visibleRows({ steps: [{ number: 1, open, lines: lines(...texts) }], folds }).map((row) =>
    row.kind === "step"
      ? `step${row.open ? "" : " closed"}`
      : `${row.kind}${row.kind === "group" && !row.open ? " closed" : ""} ${row.index}@${row.depth}`,
  );
}

const cases = [
  {
    name: "an ended group is folded",
    texts: ["a", "##[group]g", "b", "##[endgroup]", "c"],
    want: ["step", "line 0@0", "group closed 1@0", "line 4@0"],
  },
  { name: "a group without an end is open", texts: ["##[group]g", "b"], want: ["step", "group 0@0", "line 1@1"] },
  {
    name: "a group with an error in it is open",
    texts: ["##[group]g", "##[error]b", "##[endgroup]"],
    want: ["step", "group 0@0", "line 1@1"],
  },
  {
    name: "a group in a folded group is not seen",
    texts: ["##[group]g", "##[group]h", "x", "##[endgroup]", "y", "##[endgroup]", "z"],
    want: ["step", "group closed 0@0", "line 6@0"],
  },
  {
    name: "an error inside opens every group around it",
    texts: ["##[group]g", "##[group]h", "##[error]x", "##[endgroup]", "##[endgroup]"],
    want: ["step", "group 0@0", "group 1@1", "line 2@2"],
  },
  { name: "an end without a group is no line", texts: ["##[endgroup]", "a"], want: ["step", "line 1@0"] },
];
for (const { name, texts, want } of cases) test(name, () => assert.deepEqual(shown(texts), want));

test("a closed step shows its heading alone", () => assert.deepEqual(shown(["a"], noFolds, false), ["step closed"]));

test("what the reader did counts more than the default", () => {
  const folds: Folds = { steps: new Map([[1, true]]), groups: new Map([["1:0", true]]) };
  assert.deepEqual(shown(["##[group]g", "b", "##[endgroup]"], folds, false), ["step", "group 0@0", "line 1@1"]);
});

test("revealing a line opens its step and the groups around it, and no other", () => {
  const texts = ["##[group]a", "x", "##[endgroup]", "##[group]b", "##[group]c", "y", "##[endgroup]", "##[endgroup]"];
  const folds = revealed(noFolds, 1, lines(...texts), 5);
  assert.deepEqual(shown(texts, folds, false), ["step", "group closed 0@0", "group 3@0", "group 4@1", "line 5@2"]);
});

test("the first error of the first step that has one is what a reader wants", () => {
  const steps = [lines("fine"), lines("a", "##[error]b", "##[error]c")].map((texts, at) => ({
    number: at + 1,
    open: true,
    lines: texts,
  }));
  assert.deepEqual(firstError(steps), { step: 2, index: 1 });
  assert.equal(firstError([]), undefined);
});

test("marks at the start of a line are not its text", () => {
  assert.deepEqual(lineContent("##[error]no"), { level: "error", text: "no" });
  assert.deepEqual(lineContent("[command]git fetch"), { level: "command", text: "git fetch" });
  assert.deepEqual(lineContent("a ##[error]b"), { level: "plain", text: "a ##[error]b" });
});

test("fifty thousand lines are folded within a frame or three", () => {
  const many = lines(
    ...Array.from({ length: 50_000 }, (_, n) =>
      n % 100 === 0 ? "##[group]g" : n % 100 === 99 ? "##[endgroup]" : "text",
    ),
  );
  const started = performance.now();
  const rows = visibleRows({ steps: [{ number: 1, open: true, lines: many }], folds: noFolds });
  assert.equal(rows.length, 501);
  assert.ok(performance.now() - started < 250);
});
