import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { evaluateExpression } from "./evaluate.ts";
import { parseExpression } from "./parse.ts";

function evaluate(source: string, variables: Record<string, unknown> = {}): unknown {
  const parsed = parseExpression(source);
  assert.deepEqual(parsed.problems, []);
  assert.ok(parsed.value);
  const result = evaluateExpression(parsed.value, { variables, functions: { boom: () => fail() } });
  return result.kind === "value" ? result.value : `${result.column}: ${result.message}`;
}

function fail(): never {
  throw new Error("boom");
}

describe("expressions", () => {
  const cases: readonly (readonly [string, unknown, Record<string, unknown>?])[] = [
    ["1 + 2 * 3 ** 2", 19],
    ["2 ** 3 ** 2", 512],
    ["(1 + 2) * 3 - -4", 13],
    ["7 / 2", 3.5],
    ["7 % 4", 3],
    ["0x1F + 1_000", 1031],
    ["1e3 == 1000", true],
    ["not true or true", true],
    ["!(1 > 2) && 'a' != \"b\"", true],
    ["1 < 2 and 2 <= 2", true],
    ["5 in 1..5", true],
    ["6 not in [1, 2]", true],
    ["'k' in {k: 1}", true],
    ["'canary' startsWith 'can' && 'canary' not contains 'x'", true],
    ["'v1.2' matches '^v\\\\d'", true],
    ["true ? 1 : 2", 1],
    ["false ? 1 : true ? 2 : 3", 2],
    ["nil ?? 4", 4],
    ["result?.missing?.deeper == nil", true, { result: {} }],
    ["result[0] >= 0.95", true, { result: [0.97] }],
    ["result[-1]", 3, { result: [1, 2, 3] }],
    ["result[1:]", [2, 3], { result: [1, 2, 3] }],
    ["result.data.ok", true, { result: { data: { ok: true } } }],
    ["result['data']", 1, { result: { data: 1 } }],
    ["len(result) == 0 or result[0] > 1", true, { result: [] }],
    ["all(result, { # > 1 })", true, { result: [2, 3] }],
    ["all(result, # > 1)", false, { result: [1, 3] }],
    ["any(result, .ok)", true, { result: [{ ok: false }, { ok: true }] }],
    ["none(result, { # > 5 }) && one(result, # == 1)", true, { result: [1, 2] }],
    ["filter(result, # % 2 == 0)", [2, 4], { result: [1, 2, 3, 4] }],
    ["map(result, { # * 2 })", [2, 4], { result: [1, 2] }],
    ["count(result, # > #index)", 2, { result: [1, 2] }],
    ["reduce(result, #acc + #, 10)", 16, { result: [1, 2, 3] }],
    ["result | map(# + 1) | sum()", 5, { result: [1, 2] }],
    ["let x = result[0]; x * x", 9, { result: [3] }],
    ["mean(result) > 1 && max(result) == 3", true, { result: [1, 2, 3] }],
    ["result == result", false, { result: Number.NaN }],
    ["result < 1 or result >= 1", false, { result: Number.NaN }],
    ["duration('1h') > duration('59m')", true],
    ["date('2026-01-01T01:00:00Z') - duration('1h') == date('2026-01-01T00:00:00Z')", true],
    ["map([1], {})", [{}]],
  ];
  for (const [source, want, variables] of cases) {
    it(`evaluates ${source}`, () => assert.deepEqual(evaluate(source, variables), want));
  }

  const errors: readonly (readonly [string, string, Record<string, unknown>?])[] = [
    ["result[0] > 1", "7: index out of range: 0 (array length is 0)", { result: [] }],
    ["1 + result", "3: invalid operation: int + string", { result: "x" }],
    ["true and result", "10: expected bool, but got int", { result: 1 }],
    ["nope > 1", "1: unknown name nope"],
    ["1 + nope(2)", "5: unknown function nope"],
    ["result.x", "7: cannot fetch x from nil", { result: null }],
    ["1 < 'a'", "3: invalid operation: int < string"],
    ["boom()", "1: boom"],
    ["# > 1", "1: # stands outside of a predicate"],
    ["constructor", "1: unknown name constructor"],
    ["toString()", "1: unknown function toString"],
  ];
  for (const [source, want, variables] of errors) {
    it(`says what is wrong with ${source}`, () => assert.equal(evaluate(source, variables), want));
  }

  const broken: readonly (readonly [string, string])[] = [
    ["", "1: unexpected end of expression"],
    ["result[0] >", "12: unexpected end of expression"],
    ["result[0] >= 0.95)", "18: unexpected )"],
    ["result[0] => 1", "11: unexpected ="],
    ["'open", "1: text without closing quote"],
    ["a b", "3: unexpected b"],
    ["{a 1}", "4: unexpected 1"],
    ["(".repeat(5000), "101: expression is nested too deeply"],
  ];
  for (const [source, want] of broken) {
    it(`locates the fault in ${source.slice(0, 30)}`, () => {
      const [problem] = parseExpression(source).problems;
      assert.equal(`${problem?.at?.column}: ${problem?.message}`, want);
    });
  }

  it("parses or explains any text, and never throws", () => {
    const pieces = fc.constantFrom(
      "result",
      "[",
      "]",
      "(",
      ")",
      "{",
      "}",
      "#",
      ".",
      "1",
      "'a'",
      "+",
      "not",
      "in",
      "?",
      ":",
      ",",
      "|",
      "let",
      "=",
      ";",
      "-",
      "all",
      "??",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join(" ")),
        ),
        (source) => {
          const parsed = parseExpression(source);
          if (parsed.value === undefined) assert.ok(parsed.problems.length > 0);
          else evaluateExpression(parsed.value, { variables: { result: [1] } });
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("bounds the work of nested predicates", () => {
    const value = evaluate("map(1..3000, { map(1..3000, # + 1) })");
    assert.match(String(value), /takes too many steps/);
  });
});
