import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { parseMatchers } from "./matcher-config.ts";
import { Matcher, type Match } from "./matcher.ts";

function found(config: object, lines: readonly string[]): (Match | undefined)[] {
  const [first] = parseMatchers(JSON.stringify({ problemMatcher: [config] }), "m.json");
  if (first === undefined) throw new Error("no matcher");
  const matcher = new Matcher(first);
  return lines.map((line) => matcher.match(line));
}

const none = undefined;

test("one pattern takes the parts that it names out of each line", () => {
  const tsc = {
    owner: "tsc",
    pattern: [
      {
        regexp:
          "^(?:\\s+\\d+\\>)?([^\\s].*)[\\(:](\\d+)[,:](\\d+)(?:\\):\\s+|\\s+-\\s+)(error|warning|info)\\s+TS(\\d+)\\s*:\\s*(.*)$",
        file: 1,
        line: 2,
        column: 3,
        severity: 4,
        code: 5,
        message: 6,
      },
    ],
  };
  deepEqual(found(tsc, ["building", "src/a.ts(3,9): error TS2322: Type 'x' is wrong."]), [
    none,
    {
      fromPath: "",
      file: "src/a.ts",
      line: "3",
      column: "9",
      severity: "error",
      code: "2322",
      message: "Type 'x' is wrong.",
    },
  ]);
});

const eslint = {
  owner: "eslint-stylish",
  pattern: [
    { regexp: "^([^\\s].*)$", file: 1 },
    {
      regexp: "^\\s+(\\d+):(\\d+)\\s+(error|warning|info)\\s+(.*)\\s\\s+(.*)$",
      line: 1,
      column: 2,
      severity: 3,
      message: 4,
      code: 5,
      loop: true,
    },
  ],
};

test("a last pattern that loops finds one problem after the other under one head, until a line is no problem", () => {
  const at = (line: string, message: string): Match => {
    return { fromPath: "", file: "test.js", line, column: "0", severity: "error", message, code: "no" };
  };
  deepEqual(
    found(eslint, [
      "test.js",
      "  1:0  error  One  no",
      "  5:0  error  Two  no",
      "",
      "  6:0  error  Three  no",
      "test.js",
      "  7:0  error  Four  no",
    ]),
    [none, at("1", "One"), at("5", "Two"), none, none, none, at("7", "Four")],
  );
});

test("several patterns without a loop need as many lines each time", () => {
  const config = {
    owner: "three",
    severity: "warning",
    fromPath: "app/app.csproj",
    pattern: [
      { regexp: "^at (.+)$", file: 1 },
      { regexp: "^line (\\d+)$", line: 1 },
      { regexp: "^says (.+)$", message: 1 },
    ],
  };
  deepEqual(
    found(config, [
      "at a",
      "line 1",
      "says x",
      "says y",
      "at b",
      "other",
      "line 2",
      "says z",
      "at c",
      "line 3",
      "says w",
    ]),
    [
      none,
      none,
      { fromPath: "app/app.csproj", file: "a", line: "1", message: "x" },
      none,
      none,
      none,
      none,
      none,
      none,
      none,
      { fromPath: "app/app.csproj", file: "c", line: "3", message: "w" },
    ],
  );
});

const wrong: readonly [string, string, RegExp][] = [
  ["no JSON", "{", /it is not JSON/],
  ["no list", "{}", /no list "problemMatcher"/],
  ["no owner", '{"problemMatcher":[{"pattern":[{"regexp":"x","message":0}]}]}', /has no "owner"/],
  ["no message", '{"problemMatcher":[{"owner":"a","pattern":[{"regexp":"x","file":0}]}]}', /no pattern with "message"/],
  ["a loop alone", '{"problemMatcher":[{"owner":"a","pattern":[{"regexp":"x","message":0,"loop":true}]}]}', /may loop/],
  ["a bad expression", '{"problemMatcher":[{"owner":"a","pattern":[{"regexp":"(","message":0}]}]}', /matcher "a": /],
  ["a bad group", '{"problemMatcher":[{"owner":"a","pattern":[{"regexp":"x","message":-1}]}]}', /number of a group/],
];
for (const [what, text, message] of wrong) {
  test(`a file with ${what} is refused with its name`, () => {
    throws(() => parseMatchers(text, "m.json"), message);
    throws(() => parseMatchers(text, "m.json"), /"m\.json"/);
  });
}
