import assert from "node:assert/strict";
import { test } from "node:test";
import { builtinKinds, deployments } from "#api";
import { isKubeError } from "../../client/kube-error.ts";
import { builtinKind } from "../registry/served-kind.ts";
import { ambiguousItems } from "./ambiguous-items.ts";
import { applyConflict } from "./conflict-error.ts";
import type { FieldSet } from "./field-set.ts";
import { areEntriesUnchanged, type ManagedEntry, readEntries } from "./managed-entry.ts";
import { shapeOfKind } from "./shape.ts";
import { mergeOrder } from "./list-order.ts";
import { pathText } from "./steps.ts";
import { type Act, apply, looseKind, nothing, plan, type State, thing, thingKind, update } from "./testing.ts";

function setOf(state: State, manager: string, operation = "Apply"): FieldSet | undefined {
  return state.entries.find((entry) => entry.manager === manager && entry.operation === operation)?.fieldsV1;
}

const sets: { name: string; spec: Record<string, unknown>; applied: unknown; written: unknown }[] = [
  {
    name: "a declared object is owned for what is in it by appliers, and for itself too by who creates it",
    spec: { inner: { x: "1" } },
    applied: { "f:inner": { "f:x": {} } },
    written: { ".": {}, "f:inner": { ".": {}, "f:x": {} } },
  },
  {
    name: "entries of a map are owned one by one, an atomic map as a whole",
    spec: { map: { a: "1" }, whole: { a: "1" } },
    applied: { "f:map": { "f:a": {} }, "f:whole": {} },
    written: { ".": {}, "f:map": { ".": {}, "f:a": {} }, "f:whole": {} },
  },
  {
    name: "items of sets go by their value, lists without a type are owned as a whole",
    spec: { tags: ["b", "a"], steps: ["b", "a"] },
    applied: { "f:tags": { 'v:"b"': {}, 'v:"a"': {} }, "f:steps": {} },
    written: { ".": {}, "f:tags": { ".": {}, 'v:"b"': {}, 'v:"a"': {} }, "f:steps": {} },
  },
  {
    name: "items of keyed lists go by all their keys, defaults filled in",
    spec: { ports: [{ port: 80 }, { port: 80, protocol: "UDP" }] },
    applied: {
      "f:ports": {
        'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {} },
        'k:{"port":80,"protocol":"UDP"}': { ".": {}, "f:port": {}, "f:protocol": {} },
      },
    },
    written: {
      ".": {},
      "f:ports": {
        ".": {},
        'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {} },
        'k:{"port":80,"protocol":"UDP"}': { ".": {}, "f:port": {}, "f:protocol": {} },
      },
    },
  },
  {
    name: "where nothing is declared objects are owned field by field, lists as a whole",
    spec: { free: { a: { b: 1 }, list: [{ c: 1 }], empty: {} } },
    applied: { "f:free": { "f:a": { ".": {}, "f:b": {} }, "f:list": {}, "f:empty": {} } },
    written: { ".": {}, "f:free": { ".": {}, "f:a": { ".": {}, "f:b": {} }, "f:list": {}, "f:empty": {} } },
  },
];

for (const { name, spec, applied, written } of sets) {
  test(name, () => {
    assert.deepEqual(setOf(apply(nothing, "m", thing({ spec })), "m"), { "f:spec": applied });
    assert.deepEqual(setOf(update(nothing, "m", thing({ spec })), "m", "Update"), { "f:spec": written });
  });
}

test("of metadata only what others may have a say in is owned", () => {
  const metadata = { uid: "u", resourceVersion: "1", labels: { a: "1" }, finalizers: ["x/y"] };
  const set = { "f:labels": { "f:a": {} }, "f:finalizers": { 'v:"x/y"': {} } };
  assert.deepEqual(setOf(apply(nothing, "m", thing({}, metadata)), "m"), { "f:metadata": set });
});

test("a kind nobody described is told apart as far as its objects go", () => {
  const asked = thing({ spec: { steps: [{ name: "a" }], size: { min: 1 } } });
  const state = apply(nothing, "m", asked, { kind: looseKind });
  assert.deepEqual(setOf(state, "m"), { "f:spec": { "f:steps": {}, "f:size": { ".": {}, "f:min": {} } } });
  const other = apply(state, "n", thing({ spec: { size: { max: 2 } } }), { kind: looseKind });
  assert.deepEqual(other.object?.["spec"], { steps: [{ name: "a" }], size: { min: 1, max: 2 } });
});

interface Story {
  readonly name: string;
  /** One after the other; objects are specs. */
  readonly acts: readonly (readonly ["apply" | "update", who: string, spec: object, act?: Act])[];
  readonly spec: unknown;
  readonly owners: Record<string, unknown>;
}

const stories: readonly Story[] = [
  {
    name: "two that ask for the same own it together, and it goes with the last of them",
    acts: [
      ["apply", "a", { count: 1, inner: { x: "1" } }],
      ["apply", "b", { count: 1 }],
      ["apply", "a", { inner: { x: "1" } }],
    ],
    spec: { count: 1, inner: { x: "1" } },
    owners: { "a Apply": { "f:inner": { "f:x": {} } }, "b Apply": { "f:count": {} } },
  },
  {
    name: "what an updater changes an applier no longer owns",
    acts: [
      ["apply", "a", { count: 1, inner: { x: "1" } }],
      ["update", "u", { count: 2, inner: { x: "1" } }],
    ],
    spec: { count: 2, inner: { x: "1" } },
    owners: { "a Apply": { "f:inner": { "f:x": {} } }, "u Update": { "f:count": {} } },
  },
  {
    name: "what an updater removes nobody owns",
    acts: [
      ["apply", "a", { count: 1, items: [{ name: "i", note: "1" }] }],
      ["update", "u", { count: 1, items: [{ name: "i" }] }],
    ],
    spec: { count: 1, items: [{ name: "i" }] },
    owners: { "a Apply": { "f:count": {}, "f:items": { 'k:{"name":"i"}': { ".": {}, "f:name": {} } } } },
  },
  {
    name: "an item goes with all that is in it when its applier drops it, defaults included",
    acts: [
      ["apply", "a", { count: 1, items: [{ name: "i" }, { name: "j" }] }],
      ["update", "a", { count: 1, items: [{ name: "i", note: "filled in" }, { name: "j" }] }],
      ["apply", "a", { count: 1, items: [{ name: "j" }] }],
    ],
    spec: { count: 1, items: [{ name: "j" }] },
    owners: { "a Apply": { "f:count": {}, "f:items": { 'k:{"name":"j"}': { ".": {}, "f:name": {} } } } },
  },
  {
    name: "an applier's items stand in its order, those of others keep their places",
    acts: [
      ["apply", "a", { items: [{ name: "i" }, { name: "j" }] }],
      ["apply", "b", { items: [{ name: "k" }] }],
      ["apply", "a", { items: [{ name: "j" }, { name: "i" }] }],
      ["apply", "b", { items: [] }],
    ],
    spec: { items: [{ name: "j" }, { name: "i" }] },
    owners: {
      "a Apply": {
        "f:items": { 'k:{"name":"i"}': { ".": {}, "f:name": {} }, 'k:{"name":"j"}': { ".": {}, "f:name": {} } },
      },
    },
  },
  {
    name: "force takes over what differs and shares what does not",
    acts: [
      ["apply", "a", { count: 1, inner: { x: "1", y: "1" } }],
      ["apply", "b", { count: 2, inner: { x: "1" } }, { force: true }],
    ],
    spec: { count: 2, inner: { x: "1", y: "1" } },
    owners: {
      "a Apply": { "f:inner": { "f:x": {}, "f:y": {} } },
      "b Apply": { "f:count": {}, "f:inner": { "f:x": {} } },
    },
  },
];

for (const { name, acts, spec, owners } of stories) {
  test(name, () => {
    let state = nothing;
    for (const [act, who, asked, options] of acts) {
      state = (act === "apply" ? apply : update)(state, who, thing({ spec: asked }), options);
    }
    assert.deepEqual(state.object?.["spec"], spec);
    const found = state.entries.map((entry) => [`${entry.manager} ${entry.operation}`, entry.fieldsV1["f:spec"]]);
    assert.deepEqual(Object.fromEntries(found), owners);
  });
}

test("what was there before anybody kept track has an owner of its own", () => {
  const legacy: State = { object: thing({ spec: { count: 1, inner: { x: "1" } } }), entries: [] };
  const same = apply(legacy, "a", thing({ spec: { count: 1 } }));
  assert.deepEqual(setOf(same, "before-first-apply", "Update"), {
    "f:spec": { ".": {}, "f:count": {}, "f:inner": { ".": {}, "f:x": {} } },
  });
  assert.equal(plan(legacy, "a", thing({ spec: { count: 2 } })).outcome, "conflict");
});

test("status is owned apart from the rest, through its own endpoint only", () => {
  const object = thing({ spec: { count: 1 }, status: { ready: 1 } });
  const state = apply(apply(nothing, "m", object), "m", thing({ status: { ready: 1 } }), { subresource: "status" });
  assert.deepEqual(
    state.entries.map(({ manager, subresource, fieldsV1 }) => ({ manager, subresource, fieldsV1 })),
    [
      // The second apply changed nothing, so its entry has no time and stands first.
      { manager: "m", subresource: "status", fieldsV1: { "f:status": { "f:ready": {} } } },
      { manager: "m", subresource: undefined, fieldsV1: { "f:spec": { "f:count": {} } } },
    ],
  );
});

for (const [live, asked, want] of [
  ["abc", "ca", "bca"],
  ["abc", "bxa", "bcxa"],
  ["abc", "x", "abcx"],
  ["abc", "xb", "axbc"],
  ["abcde", "eca", "bdeca"],
  ["abcdefg", "fbxd", "acefgbxd"],
] as const) {
  test(`applied over a list of ${live}, ${asked} makes it ${want}`, () => {
    assert.equal(mergeOrder(live.split(""), asked.split("")).join(""), want);
  });
}

test("the time of an entry moves with a write that changes a field of its owner, and with no other", () => {
  const first = update(nothing, "a", thing({ spec: { count: 1 } }), { time: "t1" });
  const second = update(first, "b", thing({ spec: { count: 1, steps: ["x"] } }), { time: "t2" });
  const third = update(second, "a", thing({ spec: { count: 2, steps: ["x"] } }), { time: "t3" });
  const times = third.entries.map(({ manager, time }) => [manager, time]);
  assert.deepEqual(times, [
    ["b", "t2"],
    ["a", "t3"],
  ]);
});

test("of many updaters the oldest are folded into one, and no field loses its owner", () => {
  let state = nothing;
  const spec: Record<string, unknown> = {};
  for (let i = 10; i < 30; i++) {
    spec[`f${i}`] = i;
    state = update(state, `m${i}`, thing({ spec: { free: { ...spec } } }), { time: `t${i}` });
  }
  assert.deepEqual(
    state.entries.map(({ manager }) => manager),
    ["ancient-changes", ...Array.from({ length: 9 }, (_, index) => `m${index + 21}`)],
  );
  assert.equal(Object.keys(setOf(state, "ancient-changes", "Update")?.["f:spec"]?.["f:free"] ?? {}).length, 12);
});

function refusal(state: State, manager: string, asked: Record<string, unknown>): unknown {
  const planned = plan(state, manager, thing({ spec: asked }));
  assert.equal(planned.outcome, "conflict");
  return planned.outcome === "conflict" ? applyConflict(planned.conflicts) : undefined;
}

test("conflicts are told in upstream's words", () => {
  const state = update(
    apply(nothing, "a", thing({ spec: { items: [{ name: "i", note: "1" }] } })),
    "u",
    thing({ spec: { count: 1, items: [{ name: "i", note: "1" }] } }),
  );
  const one = refusal(state, "b", { count: 2 });
  assert.ok(isKubeError(one, "Conflict") && one instanceof Error);
  assert.equal(one.message, 'Apply failed with 1 conflict: conflict with "u" using example.com/v1: .spec.count');
  const two = refusal(state, "b", { count: 2, items: [{ name: "i", note: "2" }] });
  assert.deepEqual((two as { details: unknown }).details, {
    causes: [
      { reason: "FieldManagerConflict", message: 'conflict with "a"', field: '.spec.items[name="i"].note' },
      { reason: "FieldManagerConflict", message: 'conflict with "u" using example.com/v1', field: ".spec.count" },
    ],
  });
});

test("an applier that does not tell the items of a list apart is told where", () => {
  const shape = shapeOfKind(thingKind);
  const cases: [spec: object, want: RegExp | undefined][] = [
    [{ items: [{ name: "a" }, { name: "a" }] }, /^\.spec\.items: duplicate entries for key \[name="a"\]$/],
    [{ items: [{ note: "a" }] }, /^\.spec\.items: element 0: .* omits key field "name"$/],
    [{ tags: ["a", "a"] }, /^\.spec\.tags: duplicate entries for key \[="a"\]$/],
    [{ ports: [{ port: 1 }, { port: 1, protocol: "UDP" }], steps: ["a", "a"] }, undefined],
  ];
  for (const [spec, want] of cases) {
    const found = ambiguousItems(thing({ spec }), shape);
    if (want === undefined || found === undefined) assert.equal(found, want);
    else assert.match(`${pathText(found.path)}: ${found.why}`, want);
  }
});

test("entries a client sends are taken as they are meant, or not at all", () => {
  const entry: Partial<ManagedEntry> = { manager: "m", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1" };
  const canonical = readEntries([{ ...entry, fieldsV1: { 'k:{"b":1, "a":2}': {}, "f:x": {} }, subresource: "" }]);
  assert.deepEqual(canonical, [{ ...entry, fieldsV1: { 'k:{"a":2,"b":1}': {}, "f:x": {} } }]);
  const wrong = [{ ...entry, operation: "Create" }, { ...entry, fieldsType: "FieldsV2" }, { ...entry, manager: 1 }, {}];
  const wrongSets = [{ x: {} }, { "k:[1]": {} }, { "f:a": 1 }, { ".": { "f:a": {} } }, { "v:": {} }];
  for (const item of [...wrong, ...wrongSets.map((fieldsV1) => ({ ...entry, fieldsV1 }))]) {
    assert.equal(readEntries([item]), undefined, JSON.stringify(item));
  }
  assert.deepEqual(readEntries([{ ...entry, fieldsV1: {} }]), [], "an owner of nothing is none");
  const stored = [{ ...entry, fieldsV1: { "f:a": { "f:b": {} } } }];
  assert.ok(areEntriesUnchanged(stored, structuredClone(stored)));
  for (const fieldsV1 of [null, {}, { "f:a": null }, { "f:a": { "f:b": 1 } }, { "f:a": { "f:b": {}, "f:c": {} } }]) {
    assert.ok(!areEntriesUnchanged(stored, [{ ...entry, fieldsV1 }]), JSON.stringify(fieldsV1));
  }
});

test("upstream's kinds are told apart as upstream's schema says", () => {
  const definition = builtinKinds.find(({ type }) => type.plural === deployments.plural && type.group === "apps");
  assert.ok(definition !== undefined);
  const kind = builtinKind(definition);
  const container = { name: "c", ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }], args: ["a"] };
  const template = { spec: { containers: [container], nodeSelector: { a: "b" } } };
  const asked = thing({ spec: { selector: { matchLabels: { a: "b" } }, template } });
  assert.deepEqual(setOf(apply(nothing, "m", asked, { kind }), "m"), {
    "f:spec": {
      "f:selector": {},
      "f:template": {
        "f:spec": {
          "f:containers": {
            'k:{"name":"c"}': {
              ".": {},
              "f:name": {},
              "f:args": {},
              "f:ports": {
                'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} },
                'k:{"containerPort":80,"protocol":"UDP"}': { ".": {}, "f:containerPort": {}, "f:protocol": {} },
              },
            },
          },
          "f:nodeSelector": {},
        },
      },
    },
  });
});
