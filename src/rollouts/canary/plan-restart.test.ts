import assert from "node:assert/strict";
import { it } from "node:test";
import type { Pod, Rollout } from "#api";
import type { ObservedRollout } from "./observed.ts";
import { planRestart } from "./plan-restart.ts";
import { situationOf } from "./situation.ts";

const restartAt = "2026-01-01T00:10:00Z";

function pod(name: string, minute: number, ready = true): Pod {
  const creationTimestamp = `2026-01-01T00:${String(minute).padStart(2, "0")}:00Z`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, creationTimestamp },
    spec: { containers: [] },
    status: { conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}

function plan(
  pods: readonly Pod[],
  now = "2026-01-01T00:11:00Z",
): { names: string[]; restartedAt: string | undefined } {
  const rollout: Rollout = {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "Rollout",
    metadata: { name: "web", uid: "u" },
    spec: {
      replicas: 3,
      restartAt,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image: "web:1" }] } },
      strategy: { canary: {} },
    },
  };
  const nothing = { replicaSets: [], analysisRuns: [], templates: [], clusterTemplates: [] };
  const observed: ObservedRollout = {
    ...nothing,
    now: Temporal.Instant.from(now),
    rollout,
    pods,
    traffic: { kind: "none" },
  };
  const situation = situationOf(observed);
  planRestart(situation);
  const names = situation.actions.flatMap((action) => (action.kind === "deletePod" ? [action.name] : [action.kind]));
  return { names, restartedAt: situation.draft.restartedAt };
}

it("replaces one old pod at a time when none may be missing", () => {
  assert.deepEqual(plan([pod("a", 1), pod("b", 2), pod("c", 3)]).names, ["a"]);
});

it("waits for the new pod before it takes the next old one", () => {
  assert.deepEqual(plan([pod("n", 11, false), pod("b", 2), pod("c", 3)]).names, []);
});

it("takes pods that do not serve at once", () => {
  assert.deepEqual(plan([pod("a", 1, false), pod("b", 2, false), pod("c", 3)]).names, ["a", "b"]);
});

it("is done when no pod is older", () => {
  assert.equal(plan([pod("a", 11), pod("b", 12), pod("c", 10)]).restartedAt, restartAt);
});

it("waits for a restart in the future", () => {
  assert.deepEqual(plan([pod("a", 1)], "2026-01-01T00:05:00Z").names, ["requeueAfter"]);
});
