import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { percent } from "./reports.ts";
import { readSarif } from "./sarif.ts";

const run = {
  tool: {
    driver: {
      name: "Scanner",
      rules: [
        {
          id: "R1",
          helpUri: "https://example.com/r1",
          defaultConfiguration: { level: "error" },
          messageStrings: { bad: { text: "{0} is bad" } },
        },
        { id: "R2", shortDescription: { text: "Second" } },
      ],
    },
  },
  results: [
    {
      ruleId: "R1",
      message: { id: "bad", arguments: ["x"] },
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "file:///work/shop/src/a%20b.ts" },
            region: { startLine: 3, startColumn: 7 },
          },
        },
      ],
    },
    {
      ruleIndex: 1,
      level: "note",
      message: {},
      locations: [{ physicalLocation: { artifactLocation: { uri: "./c.ts" } } }],
    },
    { ruleId: "R9", message: { text: "loose" } },
    { ruleId: "R1", message: { text: "known" }, suppressions: [{ kind: "inSource" }] },
  ],
};

test("results become findings with what their rules say; suppressed ones do not", () => {
  deepEqual(readSarif({ version: "2.1.0", runs: [run] }, "/work/shop"), [
    {
      tool: "Scanner",
      rule: "R1",
      level: "error",
      message: "x is bad",
      path: "src/a b.ts",
      line: 3,
      column: 7,
      help: "https://example.com/r1",
    },
    { tool: "Scanner", rule: "R2", level: "note", message: "Second", path: "c.ts" },
    { tool: "Scanner", rule: "R9", level: "warning", message: "loose" },
  ]);
});

test("what is no SARIF is none, and odd parts of one are passed over", () => {
  equal(readSarif({ hello: 1 }), undefined);
  equal(readSarif("text"), undefined);
  deepEqual(readSarif({ runs: [null, { results: "no" }, { tool: 3 }] }), []);
});

test("a share is rounded down: 100 % means all", () => {
  deepEqual([percent(1999, 2000), percent(2, 2), percent(0, 0), percent(1, 3)], ["99.9 %", "100.0 %", "–", "33.3 %"]);
});
