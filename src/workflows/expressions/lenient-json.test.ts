import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseLenientJson } from "./lenient-json.ts";

const taken: readonly (readonly [text: string, want: unknown])[] = [
  ["['3.11', '3.12']", ["3.11", "3.12"]],
  ["{'os': 'it\\'s', \"b\": [1,],}", { os: "it's", b: [1] }],
  ["{ name: 1, $x_2: null, 3: true } // behind", { name: 1, $x_2: null, 3: true }],
  ["/* a */ [ // b\n1 /* c */, 2 ]", [1, 2]],
  ["[0x1F, -0x10, .5, 1., 010, -1e2, -0]", [31, -16, 0.5, 1, 8, -100, -0]],
  ["[NaN, Infinity, -Infinity]", [Number.NaN, Infinity, -Infinity]],
  ['"a\nb\\u00e4\\/"', "a\nbä/"],
  ['{"a":1,"a":2,"__proto__":3}', JSON.parse('{"a":2,"__proto__":3}')],
  ["[1] and more", [1]],
];
for (const [text, want] of taken) test(`${text} is taken`, () => deepEqual(parseLenientJson(text), want));

const refused: readonly (readonly [text: string, want: RegExp])[] = [
  ["", /it ends too early/],
  ["abc", /line 1, column 1/],
  ["[1\n 2]", /line 2, column 2/],
  ["[,1]", /unexpected/],
  ["{a 1}", /column 4/],
  ["{'a'}", /unexpected/],
  ["['a", /does not end/],
  ["'\\x41'", /unexpected/],
  ["True", /unexpected/],
  ["1a", /unexpected/],
  ["{'a': secret}", /unexpected text at line 1, column 7$/],
  ["[".repeat(200), /nested more than 100/],
];
for (const [text, want] of refused)
  test(`${text.slice(0, 20)} is refused`, () => throws(() => parseLenientJson(text), want));

test("what is JSON means what it means elsewhere", () => {
  fc.assert(fc.property(fc.json(), (text) => deepEqual(parseLenientJson(text), JSON.parse(text))));
});
