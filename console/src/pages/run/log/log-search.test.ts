import assert from "node:assert/strict";
import { test } from "node:test";
import { markSpans, searchLog } from "./log-search.ts";

function step(number: number, ...texts: string[]) {
  return { number, lines: texts.map((text, line) => ({ step: number, line, time: "", text })) };
}

test("a search finds lines whatever their case and colour, in order", () => {
  const steps = [
    step(1, "Error one", "fine"),
    step(2, "\u001b[31mer\u001b[0mror two", "##[endgroup]", "##[error]said"),
  ];
  assert.deepEqual(searchLog(steps, "error"), [
    { step: 1, index: 0 },
    { step: 2, index: 0 },
  ]);
  assert.deepEqual(searchLog(steps, ""), []);
});

test("a find is marked across pieces, and the colours stay", () => {
  const marked = markSpans([{ text: "an er", fg: "1" }, { text: "ror here" }], "Error");
  assert.deepEqual(marked, [
    { text: "an ", fg: "1", marked: false },
    { text: "er", fg: "1", marked: true },
    { text: "ror", marked: true },
    { text: " here", marked: false },
  ]);
});

test("every find of a line is marked", () => {
  const texts = markSpans([{ text: "ababab" }], "ab").map(({ text, marked }) => `${text}${marked ? "!" : ""}`);
  assert.deepEqual(texts, ["ab!", "ab!", "ab!"]);
});
