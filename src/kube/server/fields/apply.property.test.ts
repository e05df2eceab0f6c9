/** What holds of server-side apply whoever applies what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AnyObject } from "#api";
import { deepEqual, isObject } from "#lib";
import { compareObjects } from "./compare.ts";
import { difference, intersection, pathsOf } from "./field-set.ts";
import type { ManagedEntry } from "./managed-entry.ts";
import { mergeConfiguration } from "./merge-configuration.ts";
import { shapeOfKind } from "./shape.ts";
import { apply, nothing, plan, type State, thing, thingKind, update } from "./testing.ts";

const word = fc.constantFrom("1", "2");

/** A spec whose every name begins with one of these letters, so that specs of other letters name nothing of it. */
function specOf(...letters: string[]): fc.Arbitrary<Record<string, unknown>> {
  const name = fc.constantFrom(...letters.flatMap((letter) => [`${letter}1`, `${letter}2`]));
  const map = fc.dictionary(name, word, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
  const items = fc.uniqueArray(fc.record({ name, note: word }, { requiredKeys: ["name"], noNullPrototype: true }), {
    selector: (item) => item.name,
    minLength: 1,
    maxLength: 3,
  });
  const tags = fc.uniqueArray(name, { minLength: 1, maxLength: 3 });
  const free = fc.dictionary(name, fc.oneof(word, map, fc.array(word, { maxLength: 2 })), {
    minKeys: 1,
    maxKeys: 3,
    noNullPrototype: true,
  });
  return fc.record({ map, items, tags, free }, { requiredKeys: [], noNullPrototype: true });
}

/** Fields several appliers may want, of one value each. */
const single = fc.record(
  {
    count: fc.constantFrom(1, 2),
    inner: fc
      .record({ x: word, y: word }, { requiredKeys: [], noNullPrototype: true })
      .filter((value) => Object.keys(value).length > 0),
    whole: fc.dictionary(fc.constantFrom("a", "b"), word, { minKeys: 1, maxKeys: 2, noNullPrototype: true }),
    steps: fc.array(word, { maxLength: 2 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);

const labels = fc.dictionary(fc.constantFrom("a", "b"), word, { minKeys: 1, maxKeys: 2, noNullPrototype: true });

const wish: fc.Arbitrary<AnyObject> = fc
  .record({ shared: specOf("a", "b"), single, labels: fc.option(labels, { nil: undefined }) })
  .map(({ shared, single: rest, labels: some }) => {
    const spec = { ...shared, ...rest };
    const fields = Object.keys(spec).length === 0 ? {} : { spec };
    return thing(fields, some === undefined ? {} : { labels: some });
  });

const manager = fc.constantFrom("one", "two", "three");

type Step = { readonly act: "apply" | "update"; readonly manager: string; readonly object: AnyObject };
const history: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ act: fc.constantFrom("apply" as const, "apply" as const, "update" as const), manager, object: wish }),
  { maxLength: 5 },
);

function play(steps: readonly Step[]): State {
  return steps.reduce<State>(
    (state, { act, manager: who, object }) =>
      act === "apply" ? apply(state, who, object, { force: true }) : update(state, who, object),
    nothing,
  );
}

/** Lists whose order means nothing in an order of their own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(sorted);
    return items.every((item) => isObject(item) || /^[a-z]/.test(String(item)))
      ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : items;
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, sorted(inner)]));
}

test("applying twice is applying once: neither the object nor an owner nor a time changes", () => {
  fc.assert(
    fc.property(history, manager, wish, (steps, who, asked) => {
      const once = apply(play(steps), who, asked, { force: true, time: "t1" });
      assert.deepEqual(apply(once, who, asked, { time: "t2" }), once);
    }),
    { numRuns: 500 },
  );
});

test("an apply without force changes nothing that others own, and takes no owner away", () => {
  fc.assert(
    fc.property(history, manager, wish, (steps, who, asked) => {
      const before = play(steps);
      const after = plan(before, who, asked);
      if (after.outcome === "conflict" || before.object === undefined) return;
      const { changed, removed } = compareObjects(thingKind, before.object, after.object);
      for (const entry of before.entries) {
        if (entry.manager === who && entry.operation === "Apply") continue;
        const now: ManagedEntry | undefined = after.entries.find(
          (other) => other.manager === entry.manager && other.operation === entry.operation,
        );
        if (entry.operation === "Apply") assert.deepEqual(now?.fieldsV1, entry.fieldsV1);
        assert.deepEqual(intersection(entry.fieldsV1, changed), undefined);
        if (entry.operation === "Apply") assert.deepEqual(intersection(entry.fieldsV1, removed), undefined);
      }
    }),
    { numRuns: 1000 },
  );
});

test("an applier that asks for nothing any more leaves the object as if it had never been there", () => {
  fc.assert(
    fc.property(wish, wish, (mine, others) => {
      const alone = apply(nothing, "other", others);
      const both = plan(alone, "me", mine);
      if (both.outcome === "conflict") return;
      const left = apply(both, "me", thing({}));
      const wanted = Object.keys(others).includes("spec") ? others : { ...others, ...emptied(left) };
      assert.deepEqual(sorted(left.object), sorted(wanted));
      assert.deepEqual(left.entries, alone.entries);
    }),
    { numRuns: 1000 },
  );
});

/** A spec nobody asked for goes; that of an object without one is not there in the first place. */
function emptied(state: State): Record<string, unknown> {
  assert.equal(state.object?.["spec"], undefined);
  return {};
}

test("appliers of different fields never conflict, and each gets all it asks for", () => {
  fc.assert(
    fc.property(specOf("a"), specOf("b"), specOf("c"), (a, b, c) => {
      let state = nothing;
      const wishes = Object.entries({ a, b, c });
      for (const [who, spec] of wishes) state = apply(state, who, thing({ spec }));
      for (const [, spec] of wishes) assertHas(state.object, thing({ spec }));
      for (const [who, spec] of wishes.toReversed())
        assert.deepEqual(apply(state, who, thing({ spec })).entries, state.entries);
    }),
    { numRuns: 500 },
  );
});

function assertHas(object: AnyObject | undefined, asked: AnyObject): void {
  assert.deepEqual(sorted(mergeConfiguration(object, asked, shapeOfKind(thingKind))), sorted(object));
}

test("force gives the applier all it asks for, and takes from the others what it changed", () => {
  fc.assert(
    fc.property(history, manager, wish, (steps, who, asked) => {
      const before = play(steps);
      const after = apply(before, who, asked, { force: true });
      if (before.object === undefined || after.object === undefined) return;
      assertHas(after.object, asked);
      const { changed } = compareObjects(thingKind, before.object, after.object);
      for (const entry of after.entries) {
        if (entry.manager === who && entry.operation === "Apply") continue;
        assert.equal(intersection(entry.fieldsV1, changed), undefined);
      }
      assert.equal(plan(after, who, asked).outcome, "apply", "and nothing is left to fight about");
    }),
    { numRuns: 1000 },
  );
});

test("whatever is written, every field has an owner and nobody owns a field that is not there", () => {
  fc.assert(
    fc.property(history, (steps) => {
      const { object, entries } = play(steps);
      if (object === undefined) return;
      const everything = compareObjects(thingKind, undefined, object).changed;
      for (const { fieldsV1 } of entries) assert.deepEqual(pathsOf(difference(fieldsV1, everything)), []);
      const unowned = entries.reduce((left, { fieldsV1 }) => difference(left, fieldsV1), everything);
      // Appliers own no declared object for itself, only what is in it.
      const containers = pathsOf(unowned).filter((path) => !isContainer(object, path));
      assert.deepEqual(containers, []);
    }),
    { numRuns: 500 },
  );
});

function isContainer(object: AnyObject, path: readonly string[]): boolean {
  let value: unknown = object;
  for (const step of path) value = isObject(value) ? value[step.slice(2)] : undefined;
  return (isObject(value) || Array.isArray(value)) && !deepEqual(value, {});
}
