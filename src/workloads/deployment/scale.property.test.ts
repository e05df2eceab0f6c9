import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Bounds } from "./bounds.ts";
import { rollingStep, scaleStep, type SetCounts } from "./scale.ts";

/** A revision with its pods: true where a pod is available. Pods are made unavailable and removed unavailable first. */
interface Revision {
  readonly uid: string;
  pods: boolean[];
}

const bounds = fc
  .record({
    replicas: fc.integer({ min: 1, max: 12 }),
    maxSurge: fc.integer({ min: 0, max: 5 }),
    maxUnavailable: fc.integer({ min: 0, max: 5 }),
  })
  .map(({ replicas, maxSurge, maxUnavailable }): Bounds => {
    const least = maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable;
    return { replicas, maxSurge, maxUnavailable: Math.min(least, replicas) };
  });

/** Which pod becomes available or, rarely, unavailable between two steps. */
const events = fc.array(fc.record({ pod: fc.nat(1000), available: fc.integer({ min: 0, max: 9 }).map((n) => n > 0) }), {
  minLength: 1,
  maxLength: 80,
});

function countsOf(revisions: readonly Revision[]): SetCounts[] {
  return revisions.map(({ uid, pods }, age) => ({
    uid,
    age,
    replicas: pods.length,
    available: pods.filter(Boolean).length,
    max: undefined,
    desired: undefined,
  }));
}

function resize(revision: Revision, size: number): void {
  // As the ReplicaSet controller does: those that serve nobody go first.
  const kept = revision.pods.toSorted((a, b) => Number(b) - Number(a)).slice(0, size);
  revision.pods = [...kept, ...Array.from({ length: size - kept.length }, () => false)];
}

function step(bounds: Bounds, revisions: readonly Revision[]): boolean {
  const counts = countsOf(revisions);
  const fresh = counts.at(-1) as SetCounts;
  const sizes = rollingStep(bounds, fresh, counts.slice(0, -1));
  for (const revision of revisions) {
    const size = sizes.get(revision.uid);
    if (size !== undefined) resize(revision, size);
  }
  return sizes.size > 0;
}

function total(revisions: readonly Revision[]): number {
  return revisions.reduce((sum, { pods }) => sum + pods.length, 0);
}

function available(revisions: readonly Revision[]): number {
  return revisions.reduce((sum, { pods }) => sum + pods.filter(Boolean).length, 0);
}

function start(replicas: number, olds: number): Revision[] {
  const old = Array.from({ length: olds }, (_, index) => ({ uid: `old-${index}`, pods: [] as boolean[] }));
  for (let i = 0; i < replicas; i++) old[i % Math.max(1, olds)]?.pods.push(true);
  return [...old, { uid: "new", pods: [] }];
}

test("no step makes more pods than replicas + maxSurge, or takes available ones below replicas − maxUnavailable", () => {
  fc.assert(
    fc.property(bounds, fc.integer({ min: 1, max: 3 }), events, (bounds, olds, events) => {
      const revisions = start(bounds.replicas, olds);
      const least = bounds.replicas - bounds.maxUnavailable;
      for (const event of events) {
        const before = available(revisions);
        step(bounds, revisions);
        assert.ok(total(revisions) <= bounds.replicas + bounds.maxSurge);
        assert.ok(
          available(revisions) >= Math.min(before, least),
          `${available(revisions)} of ${before}, least ${least}`,
        );
        const pods = revisions.flatMap(({ pods }) => pods.map((_, index) => ({ pods, index })));
        const hit = pods[event.pod % Math.max(1, pods.length)];
        if (hit !== undefined) hit.pods[hit.index] = event.available;
      }
    }),
  );
});

test("when pods become available the update ends with the new revision alone", () => {
  fc.assert(
    fc.property(bounds, fc.integer({ min: 1, max: 3 }), (bounds, olds) => {
      const revisions = start(bounds.replicas, olds);
      for (let rounds = 0; rounds < 200; rounds++) {
        step(bounds, revisions);
        for (const revision of revisions) revision.pods = revision.pods.map(() => true);
      }
      assert.deepEqual(
        revisions.map(({ pods }) => pods.length),
        [...Array.from({ length: olds }, () => 0), bounds.replicas],
      );
    }),
  );
});

test("scaling in the middle of an update keeps the sum at what is allowed", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(bounds, sizes, (bounds, sizes) => {
      const before = sizes.reduce((sum, size) => sum + size, 0);
      const counts = sizes.map((replicas, age): SetCounts => ({
        uid: String(age),
        age,
        replicas,
        available: 0,
        max: before,
        desired: before,
      }));
      const next = scaleStep(bounds, true, counts.at(-1), counts);
      const after = counts.map(({ uid, replicas }) => next.get(uid) ?? replicas);
      assert.equal(
        after.reduce((sum, size) => sum + size, 0),
        bounds.replicas + bounds.maxSurge,
      );
      assert.ok(after.every((size) => size >= 0));
    }),
  );
});
