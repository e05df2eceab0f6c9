import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { addPaths, parseKeyValueFile } from "./file-commands.ts";
import { parseWorkflowCommand } from "./workflow-command.ts";

const files: readonly { name: string; text: string; want: [string, string][] }[] = [
  { name: "one pair, the value keeps its equals signs", text: "A=b=c\n", want: [["A", "b=c"]] },
  {
    name: "blank lines do not count and the last line needs no end",
    text: "\nA=1\n\n\nB=",
    want: [
      ["A", "1"],
      ["B", ""],
    ],
  },
  {
    name: "a heredoc keeps inner lines and drops the last line end",
    text: "A<<X\none\n\ntwo\nX\nB=2\n",
    want: [
      ["A", "one\n\ntwo"],
      ["B", "2"],
    ],
  },
  { name: "an empty heredoc is the empty text", text: "A<<X\nX", want: [["A", ""]] },
  { name: "an equals sign before << makes a pair", text: "A=x<<Y\n", want: [["A", "x<<Y"]] },
  { name: "a << before the equals sign makes a heredoc", text: "A<<E=F\nv\nE=F\n", want: [["A", "v"]] },
  { name: "white space belongs to name and value", text: " A = b \n", want: [[" A ", " b "]] },
  { name: "a carriage return is part of a value", text: "A=b\r\n", want: [["A", "b\r"]] },
];
for (const { name, text, want } of files) {
  test(`file commands: ${name}`, () => deepEqual([...parseKeyValueFile(text, "GITHUB_ENV")], want));
}

const bad: readonly { name: string; text: string; want: RegExp }[] = [
  { name: "neither sign", text: "A\n", want: /"GITHUB_ENV": invalid format at "A": it has neither/ },
  { name: "no name", text: "=v", want: /the name is empty/ },
  { name: "no delimiter", text: "A<<\nx\n", want: /the name or the delimiter is empty/ },
  { name: "no matching delimiter", text: "A<<X\nv\n", want: /Matching delimiter not found "X"/ },
  { name: "the file ends inside the value", text: "A<<X\nv", want: /EOF marker missing new line/ },
];
for (const { name, text, want } of bad) {
  test(`file commands: ${name} is refused`, () => {
    throws(() => [...parseKeyValueFile(text, "GITHUB_ENV")], want);
  });
}

test("the last path added is kept once, at its last place", () => {
  deepEqual(addPaths(["/a", "/b"], ["/c", "/a"]), ["/b", "/c", "/a"]);
});

const commands: readonly [string, ReturnType<typeof parseWorkflowCommand>][] = [
  ["plain", undefined],
  ["x ::error::no", undefined],
  ["::unknown::x", undefined],
  ["::error", undefined],
  [
    "  ::ERROR file=a%3Ab%2Cc,line=3 ::bad%0Aworse%25",
    { name: "error", properties: { file: "a:b,c", line: "3 " }, data: "bad\nworse%" },
  ],
  ["::set-output name=x::%250A", { name: "set-output", properties: { name: "x" }, data: "%0A" }],
  ["::add-mask::", { name: "add-mask", properties: {}, data: "" }],
  ["text ##[warning file=a;line=2]w%5D", { name: "warning", properties: { file: "a", line: "2" }, data: "w]" }],
  ["##[group]Title", { name: "group", properties: {}, data: "Title" }],
];
for (const [line, want] of commands) {
  test(`the output line "${line}" is ${want === undefined ? "only output" : `the command ${want.name}`}`, () => {
    deepEqual(parseWorkflowCommand(line), want);
  });
}
