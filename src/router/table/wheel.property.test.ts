import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { buildWheel, mountWheel, turn, type Share, type WheelState } from "./wheel.ts";

const weights = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 4 });

function sharesOf(weights: readonly number[]): Share[] {
  return weights.map((weight, index) => ({ key: `r${index}`, weight }));
}

function take(state: WheelState, count: number, received: Map<string, number> = new Map()): Map<string, number> {
  for (let i = 0; i < count; i++) {
    const key = state.wheel.shares[turn(state)]?.key ?? "";
    received.set(key, (received.get(key) ?? 0) + 1);
  }
  return received;
}

test("2,000 requests at 90/10 are exactly 1,800 and 200, wherever the wheel stood", () => {
  const wheel = buildWheel([
    { key: "stable", weight: 90 },
    { key: "canary", weight: 10 },
  ]);
  assert.equal(wheel.places.length, 10);
  for (let start = 0; start < 10; start++) {
    const received = take({ wheel, position: start, carried: new Map() }, 2000);
    assert.deepEqual(Object.fromEntries(received), { stable: 1800, canary: 200 });
  }
});

test("a turn gives every share its weight, and every beginning of it is less than one request off", () => {
  fc.assert(
    fc.property(weights, (weights) => {
      const wheel = buildWheel(sharesOf(weights));
      const received = wheel.shares.map(() => 0);
      wheel.places.forEach((taken, place) => {
        received[taken] = (received[taken] ?? 0) + 1;
        wheel.shares.forEach((share, index) => {
          const entitled = ((place + 1) * share.weight) / wheel.total;
          // Smooth weighted round robin stays within one request for two shares and below two for a few.
          assert.ok(Math.abs(entitled - (received[index] ?? 0)) < (weights.length <= 2 ? 1 : 2));
        });
      });
      assert.deepEqual(
        received,
        wheel.shares.map((share) => share.weight),
      );
    }),
  );
});

test("swapping the table at any moments does not change what each share gets by more than two requests", () => {
  fc.assert(
    fc.property(
      fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 99 })),
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 50, maxLength: 300 }),
      ([one, two], runs) => {
        const wheels = [one, two].map((canary) => buildWheel(sharesOf([100 - canary, canary])));
        let state: WheelState | undefined;
        const received = new Map<string, number>();
        let entitled = 0;
        runs.forEach((count, index) => {
          const wheel = wheels[index % 2];
          if (wheel === undefined) return;
          state = mountWheel(wheel, state);
          take(state, count, received);
          entitled += (count * (index % 2 === 0 ? one : two)) / 100;
        });
        assert.ok(Math.abs((received.get("r1") ?? 0) - entitled) <= 2, `${received.get("r1")} of ${entitled}`);
      },
    ),
  );
});

test("a swap to the same shares keeps the wheel where it stands", () => {
  const wheel = buildWheel(sharesOf([7, 3]));
  const old = mountWheel(wheel, undefined);
  take(old, 4);
  assert.equal(mountWheel(buildWheel(sharesOf([70, 30])), old).position, 4);
});

test("weights with a huge sum still make a small wheel, and none is lost", () => {
  const wheel = buildWheel(sharesOf([999_983, 1]));
  assert.ok(wheel.places.length <= 10_001);
  assert.ok(wheel.places.includes(1));
});
