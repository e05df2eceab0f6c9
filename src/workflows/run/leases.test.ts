import assert from "node:assert/strict";
import { test } from "node:test";
import { ClockFake } from "#lib/testing";
import { Leases } from "./leases.ts";

test("a lease ends after its time of silence, and not when it is renewed", async () => {
  const clock = new ClockFake();
  const ended: number[] = [];
  using leases = new Leases(clock, 1_000, (jobId) => ended.push(jobId));
  leases.renew(1);
  leases.renew(2);
  await clock.advance(900);
  leases.renew(2);
  await clock.advance(200);
  assert.deepEqual(ended, [1]);
  leases.end(2);
  await clock.advance(5_000);
  assert.deepEqual(ended, [1]);
  assert.equal(clock.sleepers, 0);
});

test("a process that stood still renews the leases that ended meanwhile", async () => {
  const clock = new ClockFake();
  let stoodStillMs = 0;
  const stopped = {
    now: () => clock.now(),
    sleep: clock.sleep.bind(clock),
    schedule: clock.schedule.bind(clock),
    monotonicMs: () => clock.monotonicMs() + stoodStillMs,
  };
  const ended: number[] = [];
  using leases = new Leases(stopped, 1_000, (jobId) => ended.push(jobId));
  leases.renew(1);
  stoodStillMs = 60_000;
  await clock.advance(1_100);
  assert.deepEqual(ended, []);
  await clock.advance(1_100);
  assert.deepEqual(ended, [1]);
});
