import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#api";
import type { InformerEvent } from "#controller";
import { ClockFake } from "#lib/testing";
import { OwnWrites } from "./own-writes.ts";

function podOf(name: string, resourceVersion: number, more: Partial<Pod["metadata"]> = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", uid: `uid-${name}`, resourceVersion: String(resourceVersion), ...more },
    spec: { containers: [] },
  };
}

/** A cache that shows what the test lets it see. */
class CacheFake {
  readonly #shown = new Map<string, Pod>();
  #handler: (event: InformerEvent<Pod>) => void = () => {};

  get(_namespace: string, name: string): Pod | undefined {
    return this.#shown.get(name);
  }

  list(): readonly Pod[] {
    return [...this.#shown.values()];
  }

  subscribe(handler: (event: InformerEvent<Pod>) => void): Disposable {
    this.#handler = handler;
    return { [Symbol.dispose]: () => {} };
  }

  show(object: Pod): void {
    const old = this.#shown.get(object.metadata.name);
    this.#shown.set(object.metadata.name, object);
    this.#handler(old === undefined ? { type: "added", object } : { type: "updated", object, old });
  }

  forget(object: Pod): void {
    this.#shown.delete(object.metadata.name);
    this.#handler({ type: "deleted", object });
  }
}

/** `a@1`, and `a@1 going` for one that is on its way out. */
function said(writes: OwnWrites<Pod>): string[] {
  return writes
    .list("default")
    .map(
      ({ metadata }) =>
        `${metadata.name}@${metadata.resourceVersion}${metadata.deletionTimestamp === undefined ? "" : " going"}`,
    );
}

const cases: { name: string; given: (writes: OwnWrites<Pod>, cache: CacheFake) => void; want: string[] }[] = [
  {
    name: "what was created is there before the cache shows it",
    given: (writes) => writes.written(podOf("a", 1)),
    want: ["a@1"],
  },
  {
    name: "what the cache shows by now is there once",
    given(writes, cache) {
      writes.written(podOf("a", 1));
      cache.show(podOf("a", 1));
    },
    want: ["a@1"],
  },
  {
    name: "an event that came before the answer to the write is not undone by it",
    given(writes, cache) {
      cache.show(podOf("a", 5));
      writes.written(podOf("a", 3));
    },
    want: ["a@5"],
  },
  {
    name: "an update of ours is seen while the cache has the older object",
    given(writes, cache) {
      cache.show(podOf("a", 1));
      writes.written(podOf("a", 3));
      cache.show(podOf("a", 2));
    },
    want: ["a@3"],
  },
  {
    name: "what somebody else wrote later wins",
    given(writes, cache) {
      cache.show(podOf("a", 1));
      writes.written(podOf("a", 3));
      cache.show(podOf("a", 4));
    },
    want: ["a@4"],
  },
  {
    name: "what was deleted is on its way out until the cache says so",
    given(writes, cache) {
      cache.show(podOf("a", 1));
      writes.deleted(podOf("a", 1));
      cache.show(podOf("a", 2));
    },
    want: ["a@1 going"],
  },
  {
    name: "what is gone is gone",
    given(writes, cache) {
      cache.show(podOf("a", 1));
      writes.deleted(podOf("a", 1));
      cache.forget(podOf("a", 1));
    },
    want: [],
  },
  {
    name: "a new object of the same name has nothing of the old one's",
    given(writes, cache) {
      cache.show(podOf("a", 1));
      writes.deleted(podOf("a", 1));
      cache.show(podOf("a", 4, { uid: "another" }));
    },
    want: ["a@4"],
  },
];

for (const { name, given, want } of cases) {
  test(name, () => {
    const cache = new CacheFake();
    const writes = new OwnWrites<Pod>(cache, new ClockFake());
    given(writes, cache);
    assert.deepEqual(said(writes), want);
  });
}

test("an object that the cache never shows is given up after five minutes", async () => {
  const clock = new ClockFake();
  const writes = new OwnWrites<Pod>(new CacheFake(), clock);
  writes.written(podOf("a", 1));
  await clock.advance(301_000);
  assert.deepEqual(said(writes), []);
});
