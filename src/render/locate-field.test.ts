import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldPath, locateField } from "./locate-field.ts";

const text = `apiVersion: v1
kind: ConfigMap
metadata:
  name: first
---
# The second document begins with a comment.
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: shop
spec:
  strategy:
    canary:
      steps:
        - setWeight: 10
        - setWeight: 150
`;

const cases = [
  { name: "a field", line: 7, field: "spec.strategy.canary.steps[1].setWeight", want: { line: 16, column: 22 } },
  {
    name: "the nearest thing around a field that is not written",
    line: 7,
    field: "spec.strategy.canary.maxSurge",
    want: { line: 14, column: 7 },
  },
  { name: "the object for a field of another branch", line: 1, field: "data", want: { line: 1, column: 1 } },
  { name: "the origin for an object inside a document", line: 12, field: "spec", want: { line: 12, column: 5 } },
] as const;
for (const { name, line, field, want } of cases) {
  test(`locateField() finds ${name}`, () => {
    const origin = { file: "a.yaml", line, column: 5 };
    const { line: foundLine, column } = locateField(text, line === 12 ? origin : { ...origin, column: 1 }, field);
    assert.deepEqual({ line: foundLine, column }, want);
  });
}

test("field paths are read as Kubernetes writes them", () => {
  assert.deepEqual(fieldPath('metadata.annotations["a.b/c"]'), ["metadata", "annotations", "a.b/c"]);
  assert.deepEqual(fieldPath("spec.containers[0].ports[12].name"), ["spec", "containers", 0, "ports", 12, "name"]);
});
