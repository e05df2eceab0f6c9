import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadlines } from "../proxy/deadlines.ts";
import { afterUpstreamFailure, type UpstreamFailure } from "../proxy/retry.ts";
import { supersedes } from "../process/active-table.ts";
import { tableFor } from "../testing.ts";
import { Balancer } from "./balancer.ts";
import { afterFailure, afterSuccess, afterTest, healthy } from "./health.ts";
import { LiveTable } from "./live-table.ts";

test("one refused connection takes an endpoint out, other failures only the third in a row", () => {
  assert.deepEqual(afterFailure(healthy, "refused", 1000), { state: "out", ejections: 1, until: 1500 });
  const twice = afterFailure(afterFailure(healthy, "broken", 0), "broken", 0);
  assert.equal(twice.state, "in");
  assert.equal(afterFailure(twice, "broken", 0).state, "out");
  assert.equal(afterFailure(afterSuccess(twice), "broken", 0).state, "in");
});

test("an endpoint that fails again right after its test is away twice as long, up to 15 s", () => {
  let health = afterFailure(healthy, "refused", 0);
  const waits: number[] = [];
  for (let i = 0; i < 7; i++) {
    if (health.state === "out") waits.push(health.until);
    health = afterFailure(afterTest(health, true, 0), "refused", 0);
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
});

const failures: [rule: string, failure: UpstreamFailure, replayable: boolean, want: string | number][] = [
  ["a refused connection is tried elsewhere for any method", { kind: "connect", timedOut: false }, false, "elsewhere"],
  ["a connect timeout is tried elsewhere", { kind: "connect", timedOut: true }, true, "elsewhere"],
  [
    "a reused connection that closed is replaced for a harmless request",
    { kind: "no-response", reused: true },
    true,
    "fresh",
  ],
  [
    "a reused connection that closed is an error for any other request",
    { kind: "no-response", reused: true },
    false,
    502,
  ],
  ["a new connection that closed is an error", { kind: "no-response", reused: false }, true, 502],
  ["an answer that does not come is a timeout", { kind: "timeout" }, true, 504],
  ["an answer that is none is an error", { kind: "bad-response", reason: "x" }, true, 502],
];

for (const [rule, failure, replayable, want] of failures)
  test(rule, () => {
    const next = afterUpstreamFailure(failure, { attempts: 1, maxAttempts: 3, replayable });
    assert.equal(next.act === "retry" ? next.where : next.status, want);
    const last = afterUpstreamFailure(failure, { attempts: 3, maxAttempts: 3, replayable });
    assert.equal(last.act, "answer");
  });

function ports(live: LiveTable, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => live.backend("shop/web:80")?.pick()?.port);
}

test("endpoints of a group take turns, and ejected ones are passed over", () => {
  const live = new LiveTable(tableFor(1, [{ ports: [1, 2, 3] }]), undefined);
  assert.deepEqual(ports(live, 4), [1, 2, 3, 1]);
  for (const endpoint of live.endpoints) if (endpoint.port === 2) endpoint.health = afterFailure(healthy, "refused", 0);
  assert.deepEqual(ports(live, 3), [3, 1, 3]);
});

test("requests of a revision whose endpoints are all ejected go to another, and when all are ejected to any", () => {
  const live = new LiveTable(
    tableFor(1, [
      { revision: "a", weight: 1, ports: [1] },
      { revision: "b", weight: 1, ports: [2] },
    ]),
    undefined,
  );
  const [a, b] = [...live.endpoints];
  if (a !== undefined) a.health = afterFailure(healthy, "refused", 0);
  assert.deepEqual(ports(live, 4), [2, 2, 2, 2]);
  if (b !== undefined) b.health = afterFailure(healthy, "refused", 0);
  assert.deepEqual(ports(live, 4), [1, 2, 1, 2]);
});

test("another attempt stays within the revision while that has an endpoint not tried", () => {
  const groups = [
    { revision: "a", weight: 1, ports: [1, 2] },
    { revision: "b", weight: 1, ports: [3] },
  ];
  const backend = new LiveTable(tableFor(1, groups), undefined).backend("shop/web:80");
  const first = backend?.pick();
  assert.ok(backend !== undefined && first !== undefined);
  const second = backend.pickAgain([first]);
  assert.equal(second?.port, 2);
  assert.equal(backend.pickAgain([first, second])?.port, 3);
});

test("an endpoint that stays keeps its health over a swap; another pod on the same port starts anew", () => {
  const balancer = new Balancer(() => {});
  balancer.swap(tableFor(1, [{ ports: [1] }]));
  const [before] = [...balancer.live.endpoints];
  assert.ok(before !== undefined);
  before.health = afterFailure(healthy, "refused", 0);
  balancer.swap(tableFor(2, [{ ports: [1, 2] }]));
  assert.equal([...balancer.live.endpoints][0], before);
  const other = structuredClone(tableFor(3, [{ ports: [1] }]));
  const endpoint = other.backends[0]?.groups[0]?.endpoints[0];
  assert.ok(endpoint !== undefined);
  Object.assign(endpoint, { pod: "another" });
  balancer.swap(other);
  assert.equal([...balancer.live.endpoints][0]?.health, healthy);
  assert.equal(before.removed, true);
});

test("a removed endpoint is drained when its last request has left", async () => {
  const balancer = new Balancer(() => {});
  balancer.swap(tableFor(1, [{ ports: [1] }]));
  const [endpoint] = [...balancer.live.endpoints];
  assert.ok(endpoint !== undefined);
  balancer.enter(endpoint);
  balancer.enter(endpoint);
  const drained = balancer.drained("127.0.0.1:1", AbortSignal.timeout(5000));
  balancer.leave(endpoint);
  balancer.swap(tableFor(2, []));
  assert.deepEqual(balancer.draining(), { "127.0.0.1:1": 1 });
  balancer.leave(endpoint);
  await drained;
  assert.deepEqual(balancer.draining(), {});
});

test("waiting for an endpoint in use ends with its signal", async () => {
  const balancer = new Balancer(() => {});
  balancer.swap(tableFor(1, [{ ports: [1] }]));
  await assert.rejects(balancer.drained("127.0.0.1:1", AbortSignal.abort(new Error("enough"))), /enough/);
});

test("within an epoch only newer tables replace the one in force; a new epoch may begin anywhere", () => {
  const current = { epoch: "a", generation: 5 };
  assert.equal(supersedes({ epoch: "a", generation: 4 }, current), false);
  assert.equal(supersedes({ epoch: "a", generation: 5 }, current), true);
  assert.equal(supersedes({ epoch: "b", generation: 1 }, current), true);
});

test("a deadline that has passed is told once, one that was moved not at all", () => {
  const deadlines = new Deadlines();
  const told: string[] = [];
  const early = { deadline: 10, onDeadline: () => void told.push("early") };
  const moved = { deadline: 10, onDeadline: () => void told.push("moved") };
  deadlines.add(early);
  deadlines.add(moved);
  moved.deadline = 30;
  deadlines.sweep(20);
  deadlines.sweep(25);
  assert.deepEqual(told, ["early"]);
});
