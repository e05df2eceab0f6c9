import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, PodDisruptionBudget } from "#api";
import { planEviction } from "./plan-eviction.ts";

const now = "2026-01-01T12:00:00Z";

function podOf(status: Pod["status"] = {}, ready = true, metadata: Partial<Pod["metadata"]> = {}): Pod {
  const conditions = [{ type: "Ready", status: ready ? "True" : "False" } as const];
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web-0", namespace: "shop", labels: { app: "web" }, ...metadata },
    spec: { containers: [] },
    status: { phase: "Running", conditions, ...status },
  };
}

function budgetOf(
  status: Partial<NonNullable<PodDisruptionBudget["status"]>> = {},
  spec: Partial<PodDisruptionBudget["spec"]> = {},
): PodDisruptionBudget {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata: { name: "web", namespace: "shop", generation: 2 },
    spec: { selector: { matchLabels: { app: "web" } }, minAvailable: 2, ...spec },
    status: {
      observedGeneration: 2,
      disruptionsAllowed: 1,
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 3,
      ...status,
    },
  };
}

const none = { disruptionsAllowed: 0, currentHealthy: 2 };
const violates = "429 Cannot evict pod as it would violate the pod's disruption budget.";

const cases: { name: string; pod?: Pod; budgets: PodDisruptionBudget[]; want: string }[] = [
  { name: "a pod without a budget goes", budgets: [], want: "delete" },
  {
    name: "a budget for other pods does not count",
    budgets: [budgetOf(none, { selector: { matchLabels: { app: "db" } } })],
    want: "delete",
  },
  {
    name: "a budget without a selector selects nothing",
    budgets: [{ ...budgetOf(none), spec: { minAvailable: 1 } }],
    want: "delete",
  },
  { name: "a budget that allows one gives one", budgets: [budgetOf()], want: "spend, 0 left" },
  {
    name: "one that allows none refuses and says why",
    budgets: [budgetOf(none)],
    want: `${violates} The disruption budget web needs 2 healthy pods and has 2 currently`,
  },
  {
    name: "one that was changed and not counted anew refuses until it is",
    budgets: [budgetOf({ observedGeneration: 1 })],
    want: `${violates} The disruption budget web is still being processed by the server. (after 10 s)`,
  },
  { name: "a pod that has ended goes", pod: podOf({ phase: "Failed" }), budgets: [budgetOf(none)], want: "delete" },
  {
    name: "as does one that never ran, unless it runs by now",
    pod: podOf({ phase: "Pending" }),
    budgets: [budgetOf(none)],
    want: "delete exactly",
  },
  {
    name: "and one that is going",
    pod: podOf({}, true, { deletionTimestamp: now }),
    budgets: [budgetOf(none)],
    want: "delete",
  },
  {
    name: "a pod that is not ready goes when enough others are healthy",
    pod: podOf({}, false),
    budgets: [budgetOf({ ...none, currentHealthy: 2 })],
    want: "delete exactly",
  },
  {
    name: "and stays when they are not",
    pod: podOf({}, false),
    budgets: [budgetOf({ ...none, currentHealthy: 1 })],
    want: `${violates} The disruption budget web needs 2 healthy pods and has 1 currently`,
  },
  {
    name: "unless its budget lets unhealthy pods go always",
    pod: podOf({}, false),
    budgets: [budgetOf({ ...none, currentHealthy: 1 }, { unhealthyPodEvictionPolicy: "AlwaysAllow" })],
    want: "delete exactly",
  },
  {
    name: "which does nothing for healthy ones",
    budgets: [budgetOf(none, { unhealthyPodEvictionPolicy: "AlwaysAllow" })],
    want: `${violates} The disruption budget web needs 2 healthy pods and has 2 currently`,
  },
  {
    name: "two budgets are one too many",
    budgets: [budgetOf(), budgetOf()],
    want: "500 This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
  },
];

for (const { name, pod = podOf(), budgets, want } of cases) {
  test(name, () => {
    const plan = planEviction(pod, budgets, now);
    switch (plan.kind) {
      case "delete":
        assert.equal(plan.exact ? "delete exactly" : "delete", want);
        return;
      case "spend":
        assert.equal(`spend, ${plan.status.disruptionsAllowed} left`, want);
        assert.deepEqual(plan.status.disruptedPods, { "web-0": now });
        assert.equal(plan.status.conditions?.find(({ type }) => type === "DisruptionAllowed")?.status, "False");
        return;
      case "ambiguous":
        assert.equal(`500 ${plan.message}`, want);
        return;
      case "refuse": {
        const { httpCode, message, details } = plan.refusal;
        const cause = details?.causes?.[0];
        const after = details?.retryAfterSeconds === undefined ? "" : `(after ${details.retryAfterSeconds} s)`;
        assert.equal([`${httpCode} ${message}`, cause?.message, after].filter(Boolean).join(" "), want);
        if (httpCode === 429) assert.equal(cause?.reason, "DisruptionBudget");
      }
    }
  });
}
