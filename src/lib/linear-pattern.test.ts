import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { linearPattern } from "./linear-pattern.ts";

const cases: readonly { pattern: string; text: string; want: readonly (string | undefined)[] | undefined }[] = [
  { pattern: "b+", text: "abbbc", want: ["bbb"] },
  { pattern: "b+?", text: "abbbc", want: ["b"] },
  { pattern: "^(?:v(\\d+)\\.(\\d+))$", text: "v1.25", want: ["v1.25", "1", "25"] },
  { pattern: "(a|ab)(c|bcd)(d*)", text: "abcd", want: ["abcd", "a", "bcd", ""] },
  { pattern: "^sha-[0-9a-f]{40}$", text: `sha-${"0f".repeat(20)}`, want: [`sha-${"0f".repeat(20)}`] },
  { pattern: "^sha-[0-9a-f]{40}$", text: `sha-${"0f".repeat(19)}`, want: undefined },
  { pattern: "(?i)MAIN", text: "on main", want: ["main"] },
  { pattern: "(?i:a)b", text: "AB", want: undefined },
  { pattern: "(?P<name>x)|(y)", text: "y", want: ["y", undefined, "y"] },
  { pattern: "[[:alpha:]]+", text: "12ab3", want: ["ab"] },
  { pattern: "[^a-c]", text: "abcd", want: ["d"] },
  { pattern: "[]a]+", text: "]a]", want: ["]a]"] },
  { pattern: "\\pL\\p{Nd}", text: "-é7", want: ["é7"] },
  { pattern: "\\bfoo\\b", text: "a foo b", want: ["foo"] },
  { pattern: "a.c", text: "a\nc", want: undefined },
  { pattern: "^$", text: "", want: [""] },
  { pattern: "a{2,3}", text: "aaaa", want: ["aaa"] },
  { pattern: "a{,3}", text: "a{,3}", want: ["a{,3}"] },
  { pattern: "(?:)*x", text: "x", want: ["x"] },
  { pattern: "^.$", text: "💡", want: ["💡"] },
];
for (const { pattern, text, want } of cases) {
  test(`${pattern} in ${JSON.stringify(text)}`, () => {
    assert.deepEqual(linearPattern(pattern).exec(text), want);
    assert.equal(linearPattern(pattern).test(text), want !== undefined);
  });
}

for (const pattern of [
  "(?=a)",
  "(?<!a)b",
  "(a)\\1",
  "a**",
  "*",
  "(",
  ")",
  "[a",
  "a{1001}",
  "(?P<a>x)(?P<a>y)",
  "\\q",
]) {
  test(`${pattern} is refused`, () => assert.throws(() => linearPattern(pattern), SyntaxError));
}

for (const pattern of ["(a+)+!", "(a|a)*b", "(a|aa)+$", "^(a{1,30}){1,30}$", "(\\p{L}+)+!", "(.*,){11}P", "(x*)*y"]) {
  test(`${pattern} takes no longer for a hostile text`, () => {
    assert.equal(linearPattern(pattern).test(`${"a".repeat(1000)}?`), false);
  });
}

test("a pattern that would be too large is refused, not built", () => {
  assert.throws(() => linearPattern("((a{1000}){1000}){1000}"), /too large/);
  assert.throws(() => linearPattern("(?:(?:(?:){1000}){1000}){1000}"), /too large/);
});

/** Without empty repetitions, where RE2 and JavaScript differ in what a group holds. */
const atom = fc.constantFrom("a", "b", "[ab]", "[^a]", ".", "\\w", "(a)", "(ab|b)", "(?:a|b)", "^", "$", "\\b");
const piece = fc
  .tuple(atom, fc.constantFrom("", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}"))
  .map(([a, q]) => (/^(?:\^|\$|\\b)$/.test(a) ? a : a + q));
const patterns = fc.array(
  fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join("")),
  { minLength: 1, maxLength: 3 },
);

test("finds what JavaScript's own engine finds", () => {
  const texts = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 }).map((characters) => characters.join(""));
  fc.assert(
    fc.property(patterns, texts, (branches, text) => {
      const source = branches.join("|");
      const expected = new RegExp(source, "u").exec(text);
      const found = linearPattern(source).exec(text);
      assert.equal(found?.[0], expected?.[0]);
    }),
    { numRuns: 2000 },
  );
});
