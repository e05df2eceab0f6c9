import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseAnsi, plainText } from "./ansi.ts";

const e = "\u001b";
const lines = [
  { name: "without escapes is one piece", line: "plain", want: [{ text: "plain" }] },
  { name: "that is empty has no pieces", line: "", want: [] },
  {
    name: "takes a colour and gives it back",
    line: `a${e}[31mb${e}[0mc`,
    want: [{ text: "a" }, { text: "b", fg: "1" }, { text: "c" }],
  },
  {
    name: "treats an empty sequence as a reset",
    line: `${e}[1mb${e}[mc`,
    want: [{ text: "b", bold: true }, { text: "c" }],
  },
  {
    name: "joins several codes",
    line: `${e}[1;4;92;41mx`,
    want: [{ text: "x", bold: true, underline: true, fg: "10", bg: "1" }],
  },
  {
    name: "ends only what a code ends",
    line: `${e}[1;31ma${e}[39mb`,
    want: [
      { text: "a", bold: true, fg: "1" },
      { text: "b", bold: true },
    ],
  },
  { name: "knows the cube of 256 colours", line: `${e}[38;5;196mx`, want: [{ text: "x", fg: "rgb(255 0 0)" }] },
  { name: "knows the greys of 256 colours", line: `${e}[48;5;232mx`, want: [{ text: "x", bg: "rgb(8 8 8)" }] },
  { name: "bounds true colours", line: `${e}[38;2;10;999;0mx`, want: [{ text: "x", fg: "rgb(10 255 0)" }] },
  { name: "goes on after an extended colour", line: `${e}[38;5;1;1mx`, want: [{ text: "x", fg: "1", bold: true }] },
  {
    name: "leaves out cursor movement",
    line: `a${e}[2Kb${e}[1Gc`,
    want: [{ text: "a" }, { text: "b" }, { text: "c" }],
  },
  {
    name: "leaves out links and their targets",
    line: `${e}]8;;http://x${e}\\here${e}]8;;${e}\\`,
    want: [{ text: "here" }],
  },
  { name: "bears a sequence that is cut off", line: `a${e}[3`, want: [{ text: "a" }, { text: "[3" }] },
];
for (const { name, line, want } of lines) {
  test(`a line ${name}`, () => assert.deepEqual(parseAnsi(line), want));
}

test("a line of nothing but colour changes stays bounded and keeps its text", () => {
  const line = `${e}[31mx${e}[32my`.repeat(5000);
  const spans = parseAnsi(line);
  assert.ok(spans.length <= 301);
  assert.equal(spans.map(({ text }) => text).join(""), "xy".repeat(5000));
});

test("the pieces of any line are its plain text", () => {
  const part = fc.oneof(fc.string(), fc.constantFrom(`${e}[0m`, `${e}[31m`, `${e}[38;5;`, `${e}]0;t\u0007`, e));
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const line = parts.join("");
      assert.equal(
        parseAnsi(line)
          .map(({ text }) => text)
          .join(""),
        plainText(line),
      );
    }),
  );
});
