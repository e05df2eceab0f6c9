import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod, ReplicaSet } from "#api";
import { planReplicaSet } from "./plan-replica-set.ts";
import { rankForDeletion } from "./rank-pods.ts";

const now = Temporal.Instant.from("2026-01-01T01:00:00Z");
const nowMs = now.epochMilliseconds;

function setOf(replicas: number, minReadySeconds = 0): ReplicaSet {
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: "web", namespace: "default", uid: "rs", generation: 3 },
    spec: {
      replicas,
      minReadySeconds,
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [] } },
    },
  };
}

interface Traits {
  readonly node?: string;
  readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed";
  readonly readyFor?: number;
  readonly cost?: number;
  readonly restarts?: number;
  readonly age?: number;
  readonly deleting?: boolean;
  readonly owner?: string;
  readonly app?: string;
}

function podOf(name: string, traits: Traits = {}): Pod {
  const {
    node = "local",
    phase = "Running",
    readyFor,
    cost,
    restarts = 0,
    age = 600,
    deleting,
    owner = "rs",
    app = "web",
  } = traits;
  const lastTransitionTime = now.subtract({ seconds: readyFor ?? 0 }).toString();
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      labels: { app },
      creationTimestamp: now.subtract({ seconds: age }).toString(),
      ...(cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": String(cost) } }),
      ...(deleting === true ? { deletionTimestamp: now.toString() } : {}),
      ...(owner === ""
        ? {}
        : {
            ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: owner, controller: true }],
          }),
    },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      conditions: readyFor === undefined ? [] : [{ type: "Ready", status: "True", lastTransitionTime }],
      containerStatuses: [
        { name: "app", image: "i", imageID: "", ready: readyFor !== undefined, restartCount: restarts },
      ],
    },
  };
}

const ready = { readyFor: 100 };
const pairs: { name: string; first: Traits; second: Traits }[] = [
  { name: "a pod without a node goes before one with", first: { node: "", ...ready }, second: {} },
  { name: "a pending pod goes before a running one", first: { phase: "Pending", age: 900 }, second: { age: 10 } },
  { name: "an unready pod goes before a ready one", first: {}, second: ready },
  { name: "a cheap pod goes before a dear one", first: { ...ready, cost: -5 }, second: { readyFor: 5 } },
  {
    name: "a pod that is ready since recently goes before one that is ready for long",
    first: { readyFor: 3, age: 900 },
    second: { readyFor: 500, age: 10 },
  },
  {
    name: "among pods ready about equally long, the one that restarted goes first",
    first: { readyFor: 310, restarts: 2, age: 900 },
    second: { readyFor: 300, age: 10 },
  },
  { name: "else the younger goes first", first: { ...ready, age: 10 }, second: { ...ready, age: 20 } },
];
for (const { name, first, second } of pairs) {
  test(name, () => {
    const ranked = rankForDeletion([podOf("b", second), podOf("a", first)], nowMs);
    assert.deepEqual(
      ranked.map(({ metadata }) => metadata.name),
      ["a", "b"],
    );
  });
}

function said(set: ReplicaSet, pods: readonly Pod[]): string[] {
  return planReplicaSet({ replicaSet: set, pods, nowMs }).actions.map((action) => {
    if (action.kind === "create") return `create ${action.count}`;
    if (action.kind === "delete") return `delete ${action.pods.map(({ metadata }) => metadata.name).join(" ")}`;
    return `${action.kind} ${action.pod.metadata.name}`;
  });
}

const cases: { name: string; replicas: number; pods: Pod[]; want: string[] }[] = [
  { name: "missing pods are made", replicas: 3, pods: [podOf("a", ready)], want: ["create 2"] },
  {
    name: "surplus pods are removed in order",
    replicas: 1,
    pods: [podOf("a", ready), podOf("b"), podOf("c", ready)],
    want: ["delete b a"],
  },
  {
    name: "a pod on its way out counts no more",
    replicas: 1,
    pods: [podOf("a", { deleting: true })],
    want: ["create 1"],
  },
  { name: "nor does one that has failed", replicas: 1, pods: [podOf("a", { phase: "Failed" })], want: ["create 1"] },
  {
    name: "another owner's pods do not count",
    replicas: 1,
    pods: [podOf("a", { owner: "other" })],
    want: ["create 1"],
  },
  {
    name: "a pod without owner that matches is adopted and counts",
    replicas: 1,
    pods: [podOf("a", { owner: "" })],
    want: ["adopt a"],
  },
  {
    name: "an own pod that matches no more is let go and replaced",
    replicas: 1,
    pods: [podOf("a", { app: "debug" })],
    want: ["release a", "create 1"],
  },
];
for (const { name, replicas, pods, want } of cases)
  test(name, () => assert.deepEqual(said(setOf(replicas), pods), want));

test("a pod is available after it was ready for minReadySeconds, and the plan comes back then", () => {
  const plan = planReplicaSet({
    replicaSet: setOf(2, 30),
    pods: [podOf("a", { readyFor: 40 }), podOf("b", { readyFor: 10 })],
    nowMs,
  });
  assert.deepEqual(plan.status, {
    replicas: 2,
    fullyLabeledReplicas: 2,
    readyReplicas: 2,
    availableReplicas: 1,
    observedGeneration: 3,
  });
  assert.equal(plan.wakeAtMs, now.add({ seconds: 20 }).epochMilliseconds);
});
