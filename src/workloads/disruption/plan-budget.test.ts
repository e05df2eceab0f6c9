import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodDisruptionBudget } from "#api";
import { type BudgetObserved, planBudget } from "./plan-budget.ts";

const now = Temporal.Instant.from("2026-01-01T12:00:00Z");
const ago = (seconds: number): string => now.subtract({ seconds }).toString({ smallestUnit: "second" });

function podOf(index: number, more: { ready?: boolean; owner?: string | null; deleted?: boolean } = {}): Pod {
  const { ready = true, owner = "set", deleted = false } = more;
  const ownerReferences =
    owner === null ? [] : [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: owner, uid: owner, controller: true }];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `web-${index}`,
      namespace: "shop",
      ownerReferences,
      ...(deleted ? { deletionTimestamp: ago(1) } : {}),
    },
    spec: { containers: [] },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

function budgetOf(spec: PodDisruptionBudget["spec"], disruptedPods?: Record<string, string>): PodDisruptionBudget {
  const status = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "web", namespace: "shop", generation: 3 },
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
    status: { ...status, ...(disruptedPods === undefined ? {} : { disruptedPods }) },
  };
}

const three = [podOf(0), podOf(1), podOf(2)];

/** `allowed = current - desired of expected` */
function said(given: Partial<BudgetObserved> & Pick<BudgetObserved, "budget">): string {
  const observed = { pods: three, scaleOf: () => 3, nowMs: now.epochMilliseconds, ...given };
  const { status } = planBudget(observed);
  return `${status.disruptionsAllowed} = ${status.currentHealthy} - ${status.desiredHealthy} of ${status.expectedPods}`;
}

const cases: { name: string; given: Partial<BudgetObserved> & Pick<BudgetObserved, "budget">; want: string }[] = [
  {
    name: "what is healthy beyond the least may go",
    given: { budget: budgetOf({ minAvailable: 2 }) },
    want: "1 = 3 - 2 of 3",
  },
  { name: "never less than none", given: { budget: budgetOf({ minAvailable: 5 }) }, want: "0 = 3 - 5 of 3" },
  {
    name: "a percentage is of what the controller wants, rounded up",
    given: { budget: budgetOf({ minAvailable: "50%" }) },
    want: "1 = 3 - 2 of 3",
  },
  { name: "so many may be away", given: { budget: budgetOf({ maxUnavailable: 1 }) }, want: "1 = 3 - 2 of 3" },
  {
    name: "of what is wanted, not of what is there",
    given: { budget: budgetOf({ maxUnavailable: 1 }), scaleOf: () => 4 },
    want: "0 = 3 - 3 of 4",
  },
  { name: "all may be away", given: { budget: budgetOf({ maxUnavailable: "100%" }) }, want: "3 = 3 - 0 of 3" },
  {
    name: "a pod that is not ready, or on its way out, is not healthy",
    given: {
      budget: budgetOf({ minAvailable: 1 }),
      pods: [podOf(0), podOf(1, { ready: false }), podOf(2, { deleted: true })],
    },
    want: "0 = 1 - 1 of 3",
  },
  {
    name: "nor is one that was let go a moment ago",
    given: { budget: budgetOf({ minAvailable: 1 }, { "web-0": ago(119) }) },
    want: "1 = 2 - 1 of 3",
  },
  {
    name: "until it had time enough to go",
    given: { budget: budgetOf({ minAvailable: 1 }, { "web-0": ago(121) }) },
    want: "2 = 3 - 1 of 3",
  },
  {
    name: "without pods nothing is allowed, since some may come at any moment",
    given: { budget: budgetOf({ minAvailable: 0 }), pods: [] },
    want: "0 = 0 - 0 of 0",
  },
  {
    name: "controllers count once each",
    given: {
      budget: budgetOf({ maxUnavailable: 1 }),
      pods: [...three, podOf(3, { owner: "other" })],
      scaleOf: ({ name }) => (name === "other" ? 1 : 3),
    },
    want: "1 = 4 - 3 of 4",
  },
];

for (const { name, given, want } of cases) test(name, () => assert.equal(said(given), want));

test("a controller that nobody knows forbids every disruption, and is told", () => {
  const budget = budgetOf({ maxUnavailable: 1 });
  const plan = planBudget({ budget, pods: three, scaleOf: () => undefined, nowMs: now.epochMilliseconds });
  assert.equal(plan.status.disruptionsAllowed, 0);
  assert.equal(plan.status.conditions?.[0]?.reason, "SyncFailed");
  assert.deepEqual(
    plan.events.map(({ reason }) => reason),
    ["CalculateExpectedPodCountFailed"],
  );
});

test("pods without a controller are told", () => {
  const budget = budgetOf({ maxUnavailable: 1 });
  const plan = planBudget({
    budget,
    pods: [podOf(0, { owner: null })],
    scaleOf: () => 3,
    nowMs: now.epochMilliseconds,
  });
  assert.deepEqual(
    plan.events.map(({ reason }) => reason),
    ["UnmanagedPods"],
  );
});

test("the condition says whether there is room, and of which generation", () => {
  const plan = planBudget({
    budget: budgetOf({ minAvailable: 2 }, { "web-0": ago(20) }),
    pods: three,
    scaleOf: () => 3,
    nowMs: now.epochMilliseconds,
  });
  const [condition] = plan.status.conditions ?? [];
  assert.deepEqual(
    [condition?.status, condition?.reason, condition?.observedGeneration],
    ["False", "InsufficientPods", 3],
  );
  assert.equal(plan.recheckAtMs, now.epochMilliseconds + 100_001);
});
