import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AnyObject } from "#api";
import { mergePatch } from "#lib";
import { mergeSchemaOf } from "#render";
import { applyPatch } from "../sync/apply.ts";
import { compareObject, withLastApplied } from "./compare-object.ts";
import { mergePatchBetween } from "./merge-patch.ts";
import { comparable, normaliseTarget } from "./normalise.ts";
import { threeWayMerge, withoutNulls } from "./three-way.ts";

const deployment = mergeSchemaOf("apps/v1", "Deployment");

function containers(...list: unknown[]): unknown {
  return { spec: { template: { spec: { containers: list } } } };
}

const cases: readonly { name: string; last?: unknown; target: unknown; live: unknown; want: unknown }[] = [
  { name: "fields of others stay", target: { a: 1 }, live: { a: 0, other: true }, want: { a: 1, other: true } },
  {
    name: "fields that were applied and are no more wanted go",
    last: { a: 1, b: 1 },
    target: { a: 1 },
    live: { a: 1, b: 2 },
    want: { a: 1 },
  },
  { name: "without a record nothing is removed", target: { a: 1 }, live: { a: 1, b: 2 }, want: { a: 1, b: 2 } },
  { name: "a null in the target removes", target: { a: null }, live: { a: 1 }, want: {} },
  { name: "plain lists are replaced", target: { l: [1] }, live: { l: [1, 2] }, want: { l: [1] } },
  {
    name: "items of a keyed list merge, and keep the place of those that others added",
    target: containers({ name: "web", image: "v2" }),
    live: containers({ name: "injected" }, { name: "web", image: "v1", imagePullPolicy: "Always" }),
    want: containers({ name: "injected" }, { name: "web", image: "v2", imagePullPolicy: "Always" }),
  },
  {
    name: "an applied item that is no more wanted goes",
    last: containers({ name: "web" }, { name: "old" }),
    target: containers({ name: "web" }),
    live: containers({ name: "web" }, { name: "old" }, { name: "injected" }),
    want: containers({ name: "web" }, { name: "injected" }),
  },
  {
    name: "a new order is a change",
    target: containers({ name: "b" }, { name: "a" }),
    live: containers({ name: "a" }, { name: "b" }),
    want: containers({ name: "b" }, { name: "a" }),
  },
  {
    name: "a port without protocol is the defaulted one",
    target: containers({ name: "web", ports: [{ containerPort: 80, name: "http" }] }),
    live: containers({ name: "web", ports: [{ containerPort: 80, protocol: "TCP" }] }),
    want: containers({ name: "web", ports: [{ containerPort: 80, protocol: "TCP", name: "http" }] }),
  },
  {
    name: "finalizers are a set",
    last: { metadata: { finalizers: ["a", "b"] } },
    target: { metadata: { finalizers: ["b", "c"] } },
    live: { metadata: { finalizers: ["a", "b", "theirs"] } },
    want: { metadata: { finalizers: ["b", "theirs", "c"] } },
  },
];

for (const { name, last, target, live, want } of cases) {
  test(name, () => {
    assert.deepEqual(threeWayMerge(last, target, live, deployment), want);
  });
}

const json = fc.letrec<{ value: unknown; map: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(null, true, 0, 1, "x", "y"),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("map"),
  ),
  map: fc.dictionary(fc.constantFrom("a", "b", "c", "name"), tie("value"), { maxKeys: 4 }),
}));

test("the patch between two values turns one into the other", () => {
  fc.assert(
    fc.property(json.map, json.map, (from, to) => {
      const wanted = withoutNulls(to);
      const patch = mergePatchBetween(withoutNulls(from), wanted);
      assert.deepEqual(patch === undefined ? withoutNulls(from) : mergePatch(withoutNulls(from), patch), wanted);
    }),
  );
});

function configMap(data: Record<string, unknown>): AnyObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", namespace: "n" }, data };
}

test("applying converges: after one apply of anything to anything, nothing differs and nothing is left to send", () => {
  fc.assert(
    fc.property(json.map, json.map, json.map, (last, target, added) => {
      const wanted = normaliseTarget(configMap(target));
      const old = withLastApplied(normaliseTarget(configMap(last)));
      const live = mergePatch(old, { data: withoutNulls(added) }) as AnyObject;

      const patch = applyPatch(wanted, live);
      const after = (patch === undefined ? live : mergePatch(live, patch)) as AnyObject;

      assert.equal(applyPatch(wanted, after), undefined);
      assert.equal(compareObject(wanted, after, []).modified, false);
    }),
  );
});

test("what servers and controllers write is no difference", () => {
  const target: AnyObject = {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name: "r", creationTimestamp: null } as unknown as AnyObject["metadata"],
    spec: { template: {} },
    status: {},
  };
  const live: AnyObject = {
    ...structuredClone(target),
    metadata: {
      name: "r",
      uid: "u",
      resourceVersion: "7",
      generation: 2,
      annotations: { "rollout.argoproj.io/revision": "3" },
    },
    spec: { template: {}, replicas: 1 },
    status: { phase: "Healthy" },
  };

  assert.equal(compareObject(normaliseTarget(target), live, []).modified, false);
});

test("ignored pointers hide a difference, and only that one", () => {
  const rules = [{ group: "", kind: "ConfigMap", jsonPointers: ["/data/a"] }];

  assert.equal(compareObject(configMap({ a: "1", b: "1" }), configMap({ a: "2", b: "1" }), rules).modified, false);
  assert.equal(compareObject(configMap({ a: "1", b: "1" }), configMap({ a: "2", b: "2" }), rules).modified, true);
});

test("a secret's stringData is its data", () => {
  const secret: AnyObject = { apiVersion: "v1", kind: "Secret", metadata: { name: "s" }, stringData: { k: "v" } };

  assert.deepEqual(comparable(normaliseTarget(secret))["data"], { k: "dg==" });
  assert.equal("stringData" in normaliseTarget(secret), false);
});
