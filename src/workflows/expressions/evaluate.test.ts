import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ExpressionFailure } from "../errors.ts";
import { completeCondition } from "./condition.ts";
import {
  evaluateExpression,
  evaluateIf,
  evaluateRecord,
  evaluateTemplate,
  evaluateTree,
  type Contexts,
} from "./evaluate.ts";
import { splitTemplate } from "./template.ts";

const contexts: Contexts = {
  github: { ref: "refs/heads/main", event: { commits: [{ id: "a" }, { id: "b" }] }, constructor: "kept" },
  env: { NAME: "it's", Empty: "" },
  matrix: { node: 20, nested: { deep: [true, null] } },
};

describe("templates", () => {
  const cases: readonly (readonly [name: string, given: string, want: string])[] = [
    ["text without expressions stays as it is", "a { b }} $ {{ c", "a { b }} $ {{ c"],
    ["values stand in for expressions", "v${{ matrix.node }}-${{ env.NAME }}", "v20-it's"],
    ["braces inside quotes do not close", "${{ format('{0}}}', 'x') }}!", "x}!"],
    ["null is empty, booleans are words", "[${{ null }}|${{ true }}|${{ 1e3 }}]", "[|true|1000]"],
    ["a context that was not given is empty", "[${{ secrets.TOKEN }}${{ needs.a.outputs.b }}]", "[]"],
    ["names do not distinguish case", "${{ GitHub.REF }} ${{ env.name }}", "refs/heads/main it's"],
    [
      "forgejo's names mean github",
      "${{ forgejo.ref }} ${{ forge.ref }} ${{ gitea.ref }}",
      "refs/heads/main refs/heads/main refs/heads/main",
    ],
    ["keys that JavaScript objects inherit are keys", "${{ github.constructor }}${{ env.toString }}", "kept"],
    ["a star takes a field of each", "${{ join(github.event.commits.*.id, '+') }}", "a+b"],
    ["an object is not text", "x${{ matrix.nested }}", "xObject"],
  ];
  for (const [name, given, want] of cases) test(name, () => assert.equal(evaluateTemplate(given, contexts), want));

  test("a value that is one expression keeps its type, deep inside too", () => {
    const tree = { a: "${{ matrix.nested }}", b: ["${{ matrix.node }}", "n${{ matrix.node }}"], c: 1 };
    assert.deepEqual(evaluateTree(tree, contexts), { a: { deep: [true, null] }, b: [20, "n20"], c: 1 });
  });

  test("splitting loses nothing, whatever the text", () => {
    const part = fc.constantFrom("a", "'", "${{ x }}", "${{ 'a}}b' }}", "}}", "{{", "$ ", " ");
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const text = parts.join("");
        const length = splitTemplate(text).filter((segment) => segment.kind === "expression").length;
        assert.equal(length, parts.filter((each) => each.startsWith("${{")).length);
      }),
    );
  });
});

describe("conditions", () => {
  const cases: readonly (readonly [given: string, want: string])[] = [
    ["", "success()"],
    ["true", "success() && (true)"],
    ["${{ github.ref == 'x' }}", "success() && (github.ref == 'x')"],
    ["always() && x", "always() && x"],
    ["FAILURE ( )", "FAILURE ( )"],
    ["contains('success()', 'x')", "success() && (contains('success()', 'x'))"],
    ["steps.success == 'x'", "success() && (steps.success == 'x')"],
    ["${{ a }} && ${{ b }}", "success() && (format('{0} && {1}', a, b))"],
  ];
  for (const [given, want] of cases) {
    test(`"${given}" is completed to "${want}", once`, () => {
      assert.equal(completeCondition(given), want);
      assert.equal(completeCondition(want), want);
    });
  }

  test("status functions are asked, and unknown functions refused by name", () => {
    assert.equal(
      evaluateIf("failure() || env.NAME != ''", contexts, { success: () => true, failure: () => false }),
      true,
    );
    assert.equal(evaluateIf("env.Empty", contexts, { success: () => true }), false);
    assert.throws(() => evaluateIf("hashFiles('x') == ''", contexts, { success: () => true }), /hashFiles/);
  });

  test("hashFiles gets its patterns", () => {
    const hashFiles = (...patterns: string[]): string => patterns.join("|");
    assert.equal(evaluateExpression("hashFiles('a', matrix.node)", contexts, { hashFiles }), "a|20");
  });
});

describe("limits", () => {
  const kilobyte = "x".repeat(1024);
  const large: Contexts = {
    env: { A: kilobyte.repeat(1536) },
    github: { list: Array.from({ length: 6000 }, () => kilobyte) },
  };
  const cases: readonly (readonly [name: string, given: string])[] = [
    ["format that repeats a large text", `\${{ format('${"{0}".repeat(2000)}', env.A) }}`],
    ["format inside format", "${{ format('{0}{0}', format('{0}{0}', env.A)) }}"],
    ["join of many texts", "${{ join(github.list, '') }}"],
    ["toJSON of a large object", "${{ toJSON(github) }}"],
    ["text around many results", "${{ env.A }}".repeat(30)],
  ];
  for (const [name, given] of cases) {
    test(`${name} is refused before it is made`, () => {
      const before = process.memoryUsage().heapUsed;
      assert.throws(() => evaluateTemplate(given, large), ExpressionFailure);
      assert.ok(process.memoryUsage().heapUsed - before < 200 * 1024 * 1024);
    });
  }

  test("many values of a record that are large together are refused", () => {
    const record = Object.fromEntries(
      Array.from({ length: 10 }, (_, index) => [`K${index}`, "${{ format('{0}', env.A) }}"]),
    );
    assert.throws(() => evaluateRecord(record, large), /have over 5242880 characters \(10 MiB\)/);
    assert.equal(Object.keys(evaluateRecord({ ONE: "${{ format('{0}', env.A) }}" }, large)).length, 1);
  });

  test("an expression that is not closed names itself", () => {
    assert.throws(() => evaluateTemplate("a ${{ github.ref", contexts), /"\$\{\{ github.ref" is not closed/);
  });
});
