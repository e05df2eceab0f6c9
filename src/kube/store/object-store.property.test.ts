import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { AnyObject } from "#api";
import { ClockFake } from "#lib/testing";
import { isKubeError } from "../client/kube-error.ts";
import { ObjectStore } from "./object-store.ts";
import type { StoreEvent } from "./store-event.ts";

type Step =
  | { readonly act: "put"; readonly resource: string; readonly name: string; readonly value: number }
  | { readonly act: "remove"; readonly resource: string; readonly name: string }
  | { readonly act: "watch"; readonly resource: string; readonly back: number }
  | { readonly act: "snapshot"; readonly resource: string };

const resource = fc.constantFrom("as", "bs");
const name = fc.constantFrom("x", "y", "z");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ act: fc.constant("put" as const), resource, name, value: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant("remove" as const), resource, name }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("watch" as const), resource, back: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant("snapshot" as const), resource }) },
);

interface Watcher {
  readonly resource: string;
  readonly from: number;
  readonly seen: { revision: number; type: string; name: string }[];
  readonly done: Promise<void>;
}

interface Logged {
  readonly revision: number;
  readonly resource: string;
  readonly type: string;
  readonly name: string;
}

function objectOf(resource: string, name: string, value: number): AnyObject {
  return { apiVersion: "v1", kind: resource, metadata: { name, namespace: "n" }, value };
}

function startWatcher(store: ObjectStore, resource: string, from: number, signal: AbortSignal): Watcher {
  const seen: Watcher["seen"] = [];
  function note(event: StoreEvent): void {
    if (event.type === "BOOKMARK") return;
    seen.push({ revision: event.revision, type: event.type, name: event.key.name });
    assert.equal(event.object.metadata.resourceVersion, String(event.revision));
  }
  const live = store.subscribe(resource, signal);
  for (const change of store.changesAfter(resource, from)) note(change);
  async function follow(): Promise<void> {
    for await (const event of live) note(event);
  }
  return { resource, from, seen, done: follow() };
}

test("a watcher sees every change after its start once and in order, and old snapshots stay as they were", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      using store = new ObjectStore({
        file: ":memory:",
        clock: new ClockFake(),
        retention: { entries: 16, ageMs: 3_600_000 },
      });
      const abort = new AbortController();
      const watchers: Watcher[] = [];
      const log: Logged[] = [];
      const snapshots: { revision: number; resource: string; objects: readonly AnyObject[] }[] = [];
      for (const next of steps) {
        const before = store.revision;
        if (next.act === "put" || next.act === "remove") {
          const key = { resource: next.resource, namespace: "n", name: next.name };
          const existed = store.get(key) !== undefined;
          if (next.act === "put") store.put(key, objectOf(next.resource, next.name, next.value));
          else store.remove(key);
          const type = next.act === "remove" ? "DELETED" : existed ? "MODIFIED" : "ADDED";
          if (next.act === "remove" && !existed) assert.equal(store.revision, before);
          else {
            assert.equal(store.revision, before + 1);
            log.push({ revision: store.revision, resource: next.resource, type, name: next.name });
          }
        } else if (next.act === "snapshot") {
          snapshots.push({ revision: before, resource: next.resource, objects: store.list(next.resource) });
        } else {
          const from = Math.max(0, before - next.back);
          if (from < store.compacted) {
            assert.throws(
              () => store.changesAfter(next.resource, from),
              (error) => isKubeError(error, "Expired"),
            );
          } else watchers.push(startWatcher(store, next.resource, from, abort.signal));
        }
      }
      for (const { revision, resource, objects } of snapshots) {
        if (revision >= store.compacted) assert.deepEqual(store.listAt(revision, resource), objects);
      }
      await new Promise((resolve) => setImmediate(resolve));
      abort.abort();
      for (const watcher of watchers) {
        await watcher.done;
        const wanted = log
          .filter((entry) => entry.resource === watcher.resource && entry.revision > watcher.from)
          .map(({ revision, type, name }) => ({ revision, type, name }));
        assert.deepEqual(watcher.seen, wanted);
      }
    }),
    { numRuns: 150 },
  );
});

test("a subscriber that does not read is ended, and the others are not", async () => {
  using store = new ObjectStore({ file: ":memory:", clock: new ClockFake(), queueLimit: 3 });
  const { signal } = new AbortController();
  const slow = store.subscribe("as", signal);
  const fast = store.subscribe("as", signal);
  for (let i = 0; i < 5; i++) {
    store.put({ resource: "as", namespace: "", name: `o${i}` }, objectOf("as", `o${i}`, i));
    const { value } = (await fast.next()) as IteratorYieldResult<StoreEvent>;
    assert.equal(value.revision, i + 1);
  }
  await assert.rejects(slow.next(), { name: "ChannelOverflowError" });
});
