import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { approximateCounts, canaryCounts, type CountsRequest, type SetSize } from "./replica-counts.ts";

describe("approximateCounts", () => {
  // replicas, weight, surge, canary, stable
  const cases: readonly (readonly [number, number, number, number, number])[] = [
    [0, 50, 1, 0, 0],
    [1, 0, 1, 0, 1],
    [1, 1, 1, 1, 1],
    [1, 50, 1, 1, 1],
    [1, 99, 1, 1, 1],
    [1, 100, 1, 1, 0],
    [1, 1, 0, 0, 1],
    [1, 49, 0, 0, 1],
    [1, 50, 0, 1, 0],
    [1, 51, 0, 1, 0],
    [2, 1, 0, 1, 1],
    [2, 50, 0, 1, 1],
    [2, 75, 0, 1, 1],
    [2, 99, 0, 1, 1],
    [2, 10, 1, 1, 2],
    [2, 90, 1, 2, 1],
    [3, 50, 0, 2, 1],
    [3, 50, 1, 2, 2],
    [3, 10, 1, 1, 3],
    [10, 0, 1, 0, 10],
    [10, 1, 0, 1, 9],
    [10, 14, 0, 1, 9],
    [10, 15, 0, 2, 8],
    [10, 19, 1, 2, 9],
    [10, 24, 1, 3, 8],
    [10, 50, 1, 5, 5],
    [10, 99, 0, 9, 1],
    [10, 99, 1, 10, 1],
    [10, 100, 1, 10, 0],
  ];
  for (const [replicas, weight, surge, canary, stable] of cases) {
    it(`splits ${replicas} pods at ${weight} % with surge ${surge} into ${canary}/${stable}`, () => {
      assert.deepEqual(approximateCounts(replicas, weight, surge), { canary, stable });
    });
  }

  it("adds up to the replicas or one more, keeps both sides alive between 1 and 99 %", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.integer({ min: 0, max: 100 }), fc.nat(1), (replicas, weight, surge) => {
        const { canary, stable } = approximateCounts(replicas, weight, surge);
        assert.ok(canary >= 0 && stable >= 0);
        const total = canary + stable;
        assert.ok(total === replicas || (surge > 0 && total === replicas + 1));
        if (replicas >= 2 && weight > 0 && weight < 100) assert.ok(canary >= 1 && stable >= 1);
      }),
      { numRuns: 5000 },
    );
  });
});

function size(spec: number, available = spec): SetSize {
  return { spec, available };
}

function request(overrides: Partial<CountsRequest>): CountsRequest {
  const base = { replicas: 10, weight: 10, maxSurge: 1, maxUnavailable: 0, canary: size(0), stable: size(10) };
  return { ...base, sameSet: false, others: 0, ...overrides };
}

describe("canaryCounts", () => {
  const cases: readonly { name: string; given: Partial<CountsRequest>; want: readonly [number, number] }[] = [
    { name: "uses the surge for the first canary pod", given: {}, want: [1, 10] },
    { name: "gives up a stable pod once the canary is available", given: { canary: size(1) }, want: [1, 9] },
    { name: "keeps the stable pods while the canary is not available", given: { canary: size(1, 0) }, want: [1, 10] },
    {
      name: "takes stable pods away first when there is no surge",
      given: { maxSurge: 0, maxUnavailable: 5, weight: 30 },
      want: [0, 7],
    },
    { name: "grows as far as the surge allows", given: { weight: 30, maxSurge: 3 }, want: [3, 10] },
    { name: "surges a single pod", given: { replicas: 1, weight: 5, stable: size(1) }, want: [1, 1] },
    {
      name: "finishes a single pod when the new one is available",
      given: { replicas: 1, weight: 100, canary: size(1), stable: size(1) },
      want: [1, 0],
    },
    {
      name: "waits with the old pod until the new one is available",
      given: { replicas: 1, weight: 100, canary: size(1, 0), stable: size(1) },
      want: [1, 1],
    },
    {
      name: "shrinks the canary on abort although its pods crash",
      given: { weight: 0, canary: size(5, 0), stable: size(5), maxUnavailable: 2 },
      want: [3, 6],
    },
    {
      name: "ignores the weight before there is a stable revision",
      given: { stable: undefined, canary: size(0), maxSurge: 3 },
      want: [10, 0],
    },
    {
      name: "leaves canary and stable when pods of others are still there",
      given: { canary: size(1), stable: size(9), others: 1, weight: 50 },
      want: [1, 9],
    },
    {
      name: "scales the one revision down with the rollout",
      given: { replicas: 5, sameSet: true, canary: size(10), stable: size(10) },
      want: [5, 0],
    },
  ];
  for (const { name, given, want } of cases) {
    it(name, () => {
      const { canary, stable } = canaryCounts(request(given));
      assert.deepEqual([canary, stable], want);
    });
  }

  const sets = fc.record({
    replicas: fc.integer({ min: 1, max: 30 }),
    weight: fc.integer({ min: 0, max: 100 }),
    maxSurge: fc.nat(5),
    unavailable: fc.nat(5),
    start: fc.nat(30),
  });

  it("keeps to the limits on its way and arrives at the counts asked for", () => {
    fc.assert(
      fc.property(sets, fc.infiniteStream(fc.boolean()), ({ replicas, weight, maxSurge, unavailable, start }, luck) => {
        const maxUnavailable = Math.min(replicas, maxSurge === 0 ? Math.max(1, unavailable) : unavailable);
        let canary = size(Math.min(start, replicas));
        let stable = size(replicas - canary.spec);
        for (let round = 0; round < 500; round++) {
          const next = canaryCounts({
            replicas,
            weight,
            maxSurge,
            maxUnavailable,
            canary,
            stable,
            sameSet: false,
            others: 0,
          });
          assert.ok(next.canary + next.stable <= replicas + maxSurge);
          const left = Math.min(next.canary, canary.available) + Math.min(next.stable, stable.available);
          const before = canary.available + stable.available;
          assert.ok(left >= Math.min(before, replicas - maxUnavailable), `${left} available of ${replicas}`);
          // New pods become available one at a time, sometimes not at once.
          const up = (set: SetSize, spec: number): SetSize =>
            size(spec, Math.min(spec, Math.min(set.available, spec) + (luck.next().value === true ? 1 : 0)));
          canary = up(canary, next.canary);
          stable = up(stable, next.stable);
        }
        assert.deepEqual({ canary: canary.spec, stable: stable.spec }, approximateCounts(replicas, weight, maxSurge));
      }),
      { numRuns: 300 },
    );
  });
});
