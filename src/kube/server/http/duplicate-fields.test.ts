import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { duplicateFields, duplicateYamlKeys } from "./duplicate-fields.ts";

const texts: readonly (readonly [text: string, want: readonly string[]])[] = [
  ['{"a":1,"b":2}', []],
  ['{"a":1,"a":2}', ["a"]],
  ['{"spec":{"x":[{"n":1},{"n":1,"n":2}]}}', ["spec.x[1].n"]],
  ['{"data":{"a":"1","\\u0061":"2"}}', ["data.a"]],
  ['{"a":"{\\"b\\":1,\\"b\\":2}"}', []],
  ['[{"a":1,"a":1}]', ["[0].a"]],
];
for (const [text, want] of texts) {
  test(`fields named twice in ${text}: ${want.join(", ") || "none"}`, () =>
    assert.deepEqual(duplicateFields(text), want));
}

test("what JSON writes names nothing twice", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => assert.deepEqual(duplicateFields(JSON.stringify(value)), [])),
  );
});

test("keys said twice in YAML are told with their line", () => {
  assert.deepEqual(duplicateYamlKeys('data:\n  a: "1"\n  b: 2\n  a: "2"\n'), ['line 4: key "a" already set in map']);
});
