import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ClockFake, idsFake } from "#lib/testing";
import { WorkQueue } from "./work-queue.ts";

function queueWithClock(): { queue: WorkQueue; clock: ClockFake } {
  const clock = new ClockFake();
  return { queue: new WorkQueue({ clock, ids: idsFake() }), clock };
}

const never = new AbortController().signal;

test("a key added twice before it is taken is handled once", async () => {
  const { queue } = queueWithClock();
  queue.add("a");
  queue.add("a");
  assert.equal(await queue.take(never), "a");
  queue.done("a");
  assert.equal(queue.length, 0);
});

test("a key added while it is handled is handled once more, and not at the same time", async () => {
  const { queue } = queueWithClock();
  queue.add("a");
  await queue.take(never);
  queue.add("a");
  queue.add("a");
  const second = queue.take(never);
  let taken = false;
  void second.then(() => (taken = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(taken, false);
  queue.done("a");
  assert.equal(await second, "a");
  queue.done("a");
  assert.equal(queue.length, 0);
});

test("of two delays the earlier one wins", async () => {
  const { queue, clock } = queueWithClock();
  queue.addAfter("a", 100);
  queue.addAfter("a", 1000);
  await clock.advance(100);
  assert.equal(await queue.take(never), "a");
});

test("failures back off exponentially until a success", () => {
  const { queue } = queueWithClock();
  const delays = [1, 2, 3].map(() => queue.addAfterFailure("a"));
  assert.deepEqual(delays, [4.5, 9, 18]);
  queue.succeeded("a");
  assert.equal(queue.addAfterFailure("a"), 4.5);
});

test("failures of many keys together are spread over time", async () => {
  const clock = new ClockFake();
  const queue = new WorkQueue({ clock, ids: idsFake(), retryLimit: { perSecond: 10, burst: 2 } });
  const delays = ["a", "b", "c", "d"].map((key) => queue.addAfterFailure(key));
  assert.deepEqual(delays, [4.5, 4.5, 100, 200]);
  await clock.advance(1000);
  assert.equal(queue.addAfterFailure("e"), 4.5);
});

test("take rejects with the signal's reason", async () => {
  const { queue } = queueWithClock();
  const stop = new AbortController();
  const taking = queue.take(stop.signal);
  stop.abort(new Error("stopped"));
  await assert.rejects(taking, /stopped/);
});

test("no key is lost and none is handled twice at once, whatever the order of adds and dones", async () => {
  const step = fc.record({ act: fc.constantFrom("add", "take", "done"), key: fc.constantFrom("a", "b", "c") });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { queue } = queueWithClock();
      const owed = new Set<string>();
      const active = new Set<string>();
      for (const { act, key } of steps) {
        if (act === "add") {
          queue.add(key);
          owed.add(key);
        } else if (act === "take" && [...owed].some((other) => !active.has(other))) {
          const taken = await queue.take(never);
          assert.ok(owed.has(taken) && !active.has(taken));
          owed.delete(taken);
          active.add(taken);
        } else if (act === "done" && active.has(key)) {
          active.delete(key);
          queue.done(key);
        }
      }
      for (const key of active) queue.done(key);
      while (owed.size > 0) {
        const taken = await queue.take(never);
        assert.ok(owed.delete(taken));
        queue.done(taken);
      }
      assert.equal(queue.length, 0);
    }),
    { numRuns: 200 },
  );
});
