import assert from "node:assert/strict";
import { test } from "node:test";
import { missingLines, readTutorial } from "./tutorial.ts";

const markdown = [
  "Words.",
  "```console",
  "$ not run",
  "```",
  "```sh terminal=server needs=kubectl",
  "start",
  "```",
  "```text",
  "up",
  "",
  "and running",
  "```",
  "```sh every-terminal",
  "export A=1",
  "```",
].join("\n");

test("a tutorial is its shell blocks, each with the output that is promised after it", () => {
  assert.deepEqual(readTutorial(markdown), [
    {
      line: 5,
      commands: "start",
      promised: ["up", "and running"],
      terminal: "server",
      everyTerminal: false,
      needs: "kubectl",
    },
    { line: 13, commands: "export A=1", promised: [], terminal: "", everyTerminal: true, needs: undefined },
  ]);
});

const lines = [
  { promised: "09:12:06.031     +0 ms  ● first", output: "10:00:00.123  +11.7 s  ● first", holds: true },
  { promised: "acme/hello   a0abda7   live   20s   one", output: "acme/hello 1234567 live 2m5s one two", holds: true },
  { promised: "git http://127.0.0.1:7070/x", output: "git http://127.0.0.1:45123/x", holds: true },
  { promised: "Aborted: …", output: "✖ Aborted: for a reason", holds: true },
  { promised: "version 2", output: "version 3", holds: false },
  { promised: "acme/hello a0abda7 live", output: "acme/hello a0abda7 rolled-back", holds: false },
  { promised: "10 % of traffic", output: "50 % of traffic", holds: false },
  { promised: "revision 3", output: "revision 4", holds: false },
];
for (const { promised, output, holds } of lines) {
  test(`"${promised}" is ${holds ? "kept" : "broken"} by "${output}"`, () => {
    assert.deepEqual(missingLines([promised], `before\n${output}\nafter`), holds ? [] : [promised]);
  });
}
