import assert from "node:assert/strict";
import { test } from "node:test";
import { type AnyObject, deployments, rollouts, type ResourceType } from "#api";
import { isKubeError } from "../../client/kube-error.ts";
import { builtinKind, type ServedKind } from "../registry/served-kind.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { applyStrategicPatch } from "./strategic-merge.ts";

function kindOf(type: unknown): ServedKind {
  return builtinKind({ type: type as ResourceType, singular: "", status: true, generation: true });
}

function deployment(podSpec: object, spec: object = {}): AnyObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    spec: { ...spec, template: { spec: podSpec } },
  };
}

const strategic: { name: string; live: object; patch: object; want: object }[] = [
  {
    name: "containers are merged by name and the others stay",
    live: {
      containers: [
        { name: "a", image: "a:1" },
        { name: "b", image: "b:1" },
      ],
    },
    patch: { containers: [{ name: "b", image: "b:2" }] },
    want: {
      containers: [
        { name: "a", image: "a:1" },
        { name: "b", image: "b:2" },
      ],
    },
  },
  {
    name: "$patch: delete removes one item",
    live: { containers: [{ name: "a" }, { name: "b" }] },
    patch: { containers: [{ name: "a", $patch: "delete" }] },
    want: { containers: [{ name: "b" }] },
  },
  {
    name: "$patch: replace in a list puts the patch in place of the whole list",
    live: { containers: [{ name: "a" }, { name: "b" }] },
    patch: { containers: [{ name: "c" }, { $patch: "replace" }] },
    want: { containers: [{ name: "c" }] },
  },
  {
    name: "$patch: replace in a map puts the patch in place of the whole map",
    live: { nodeSelector: { a: "1", b: "2" } },
    patch: { nodeSelector: { $patch: "replace", c: "3" } },
    want: { nodeSelector: { c: "3" } },
  },
  {
    name: "$retainKeys drops every other key, so that a volume changes its source",
    live: { volumes: [{ name: "v", emptyDir: {} }] },
    patch: { volumes: [{ name: "v", $retainKeys: ["name", "configMap"], configMap: { name: "c" } }] },
    want: { volumes: [{ name: "v", configMap: { name: "c" } }] },
  },
  {
    name: "$setElementOrder orders what it names and leaves the server's own items beside their neighbours",
    live: { containers: [{ name: "a" }, { name: "injected" }, { name: "b" }] },
    patch: {
      "$setElementOrder/containers": [{ name: "b" }, { name: "a" }],
      containers: [{ name: "a", image: "a:2" }],
    },
    want: { containers: [{ name: "injected" }, { name: "b" }, { name: "a", image: "a:2" }] },
  },
  {
    name: "of two ports with one number the one with the same protocol is meant",
    live: {
      containers: [
        {
          name: "a",
          ports: [
            { containerPort: 53, protocol: "TCP" },
            { containerPort: 53, protocol: "UDP" },
          ],
        },
      ],
    },
    patch: { containers: [{ name: "a", ports: [{ containerPort: 53, protocol: "UDP", name: "dns" }] }] },
    want: {
      containers: [
        {
          name: "a",
          ports: [
            { containerPort: 53, protocol: "TCP" },
            { containerPort: 53, protocol: "UDP", name: "dns" },
          ],
        },
      ],
    },
  },
  {
    name: "lists without a merge strategy are replaced",
    live: { containers: [{ name: "a", args: ["1", "2"] }] },
    patch: { containers: [{ name: "a", args: ["3"] }] },
    want: { containers: [{ name: "a", args: ["3"] }] },
  },
  {
    name: "null removes a field, also inside an item",
    live: { containers: [{ name: "a", image: "x", command: ["c"] }], hostname: "h" },
    patch: { containers: [{ name: "a", command: null }], hostname: null },
    want: { containers: [{ name: "a", image: "x" }] },
  },
];

for (const { name, live, patch, want } of strategic) {
  test(`strategic merge: ${name}`, () => {
    const before = deployment(live);
    const copy = structuredClone(before);
    const result = applyStrategicPatch(kindOf(deployments), before, { spec: { template: { spec: patch } } });
    assert.deepEqual(result, deployment(want));
    assert.deepEqual(before, copy, "the live object is not changed");
  });
}

test("strategic merge: $deleteFromPrimitiveList takes finalizers out, a list of finalizers adds", () => {
  const live: AnyObject = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d", finalizers: ["a", "b"] },
  };
  const patch = { metadata: { "$deleteFromPrimitiveList/finalizers": ["a"], finalizers: ["c", "b"] } };
  const result = applyStrategicPatch(kindOf(deployments), live, patch) as AnyObject;
  assert.deepEqual(result.metadata.finalizers, ["c", "b"]);
});

test("strategic merge of a custom kind is refused as upstream refuses it", () => {
  const refused = (error: unknown): boolean => isKubeError(error, "UnsupportedMediaType");
  assert.throws(() => applyStrategicPatch(kindOf(rollouts), deployment({}), {}), refused);
});

const json: { name: string; patch: unknown; want?: unknown; refused?: "BadRequest" | "Invalid" }[] = [
  {
    name: "adds into a list",
    patch: [{ op: "add", path: "/l/1", value: 9 }],
    want: { l: [1, 9, 2], "a/b": { "~": 1 } },
  },
  { name: "appends with -", patch: [{ op: "add", path: "/l/-", value: 9 }], want: { l: [1, 2, 9], "a/b": { "~": 1 } } },
  {
    name: "reads ~1 and ~0",
    patch: [{ op: "replace", path: "/a~1b/~0", value: 2 }],
    want: { l: [1, 2], "a/b": { "~": 2 } },
  },
  { name: "moves", patch: [{ op: "move", from: "/l/0", path: "/m" }], want: { l: [2], "a/b": { "~": 1 }, m: 1 } },
  { name: "refuses a failed test", patch: [{ op: "test", path: "/l/0", value: 2 }], refused: "Invalid" },
  { name: "refuses to remove what is not there", patch: [{ op: "remove", path: "/x" }], refused: "Invalid" },
  { name: "refuses an index out of bounds", patch: [{ op: "add", path: "/l/3", value: 1 }], refused: "Invalid" },
  { name: "refuses an unknown operation", patch: [{ op: "merge", path: "/l" }], refused: "BadRequest" },
  { name: "refuses what is no list", patch: { op: "add" }, refused: "BadRequest" },
  { name: "refuses __proto__", patch: [{ op: "add", path: "/__proto__/x", value: 1 }], refused: "BadRequest" },
];
for (const { name, patch, want, refused } of json) {
  test(`JSON patch ${name}`, () => {
    const document = { l: [1, 2], "a/b": { "~": 1 } };
    if (refused === undefined) assert.deepEqual(applyJsonPatch(document, patch), want);
    else
      assert.throws(
        () => applyJsonPatch(document, patch),
        (error) => isKubeError(error, refused),
      );
  });
}
