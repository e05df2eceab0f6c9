import assert from "node:assert/strict";
import { test } from "node:test";
import type { DaemonSet, Node, Pod, PodSpec } from "#api";
import { daemonPodOf } from "./daemon-pod.ts";
import type { DaemonSetAction, DaemonSetObserved } from "./daemon-set-state.ts";
import { planDaemonSet } from "./plan-daemon-set.ts";

const now = Temporal.Instant.from("2026-01-01T01:00:00Z");

function nodeOf(name: string, spec: NonNullable<Node["spec"]> = {}, labels: Record<string, string> = {}): Node {
  return { apiVersion: "v1", kind: "Node", metadata: { name, labels }, spec };
}

function setOf(spec: Partial<DaemonSet["spec"]> = {}, pod: Partial<PodSpec> = {}): DaemonSet {
  const template = { metadata: { labels: { app: "agent" } }, spec: { containers: [], ...pod } };
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "agent", namespace: "default", uid: "ds", generation: 1 },
    spec: { selector: { matchLabels: { app: "agent" } }, template, ...spec },
  };
}

interface Traits {
  readonly hash?: string;
  readonly ready?: boolean;
  readonly phase?: "Running" | "Failed" | "Succeeded";
  readonly going?: boolean;
  readonly age?: number;
}

function podOn(node: string, traits: Traits = {}): Pod {
  const { hash = "new", ready = true, phase = "Running", going = false, age = 100 } = traits;
  const name = `agent-${node}-${hash}${age === 100 ? "" : `-${age}`}`;
  const made = daemonPodOf(setOf(), hash, node, { name, generateName: "agent-" });
  const lastTransitionTime = now.subtract({ seconds: 60 }).toString();
  return {
    ...made,
    metadata: {
      ...made.metadata,
      creationTimestamp: now.subtract({ seconds: age }).toString(),
      ...(going ? { deletionTimestamp: now.toString() } : {}),
    },
    spec: { ...made.spec, nodeName: node },
    status: { phase, conditions: ready ? [{ type: "Ready", status: "True", lastTransitionTime }] : [] },
  };
}

function said(action: DaemonSetAction): string {
  if (action.kind === "create") return `create on ${action.nodes.join()}`;
  if (action.kind === "replace") return `replace ${action.pod.metadata.name}: ${action.text.reason}`;
  return `delete ${action.pods.map(({ metadata }) => metadata.name).join()}`;
}

function plan(
  set: DaemonSet,
  nodes: Node[],
  pods: Pod[],
  more: Partial<DaemonSetObserved> = {},
): ReturnType<typeof planDaemonSet> {
  return planDaemonSet({ set, nodes, pods, hash: "new", backingOff: new Map(), nowMs: now.epochMilliseconds, ...more });
}

const [a, b, c] = [nodeOf("a"), nodeOf("b"), nodeOf("c")];
const old: Traits = { hash: "old" };
function rolling(rollingUpdate: {
  maxUnavailable?: number | string;
  maxSurge?: number | string;
}): Partial<DaemonSet["spec"]> {
  return { updateStrategy: { type: "RollingUpdate", rollingUpdate } };
}
const surge = rolling({ maxSurge: 1, maxUnavailable: 0 });

const cases: {
  name: string;
  set?: DaemonSet;
  nodes: Node[];
  pods: Pod[];
  more?: Partial<DaemonSetObserved>;
  want: string[];
}[] = [
  { name: "each node gets a pod", nodes: [a, b], pods: [], want: ["create on a,b"] },
  { name: "a node that has one gets none", nodes: [a, b], pods: [podOn("a")], want: ["create on b"] },
  {
    name: "a node selector chooses the nodes",
    set: setOf({}, { nodeSelector: { disk: "ssd" } }),
    nodes: [a, nodeOf("s", {}, { disk: "ssd" })],
    pods: [],
    want: ["create on s"],
  },
  {
    name: "a cordoned node gets its pod all the same",
    nodes: [nodeOf("a", { unschedulable: true })],
    pods: [],
    want: ["create on a"],
  },
  {
    name: "a tainted node gets none, and keeps the one it has",
    nodes: [
      nodeOf("a", { taints: [{ key: "x", effect: "NoSchedule" }] }),
      nodeOf("b", { taints: [{ key: "x", effect: "NoSchedule" }] }),
    ],
    pods: [podOn("a")],
    want: [],
  },
  {
    name: "NoExecute takes it away",
    nodes: [nodeOf("a", { taints: [{ key: "x", effect: "NoExecute" }] })],
    pods: [podOn("a")],
    want: ["delete agent-a-new"],
  },
  { name: "pods of a node that is gone go", nodes: [b], pods: [podOn("a"), podOn("b")], want: ["delete agent-a-new"] },
  {
    name: "of two pods on a node the older stays",
    nodes: [a],
    pods: [podOn("a", { age: 5 }), podOn("a")],
    want: ["delete agent-a-new-5"],
  },
  { name: "a pod on its way out is waited for", nodes: [a], pods: [podOn("a", { going: true })], want: [] },
  {
    name: "a failed pod is replaced",
    nodes: [a],
    pods: [podOn("a", { phase: "Failed", ready: false })],
    want: ["replace agent-a-new: FailedDaemonPod"],
  },
  {
    name: "but not again and again at once",
    nodes: [a],
    pods: [podOn("a", { phase: "Failed", ready: false })],
    more: { backingOff: new Map([["a", now.epochMilliseconds + 1000]]) },
    want: [],
  },
  {
    name: "an update ends one old pod at a time",
    nodes: [a, b],
    pods: [podOn("a", old), podOn("b", old)],
    want: ["delete agent-a-old"],
  },
  {
    name: "and waits for the new one",
    nodes: [a, b],
    pods: [podOn("a", { ready: false }), podOn("b", old)],
    want: [],
  },
  {
    name: "an old pod that does not serve is replaced at once",
    nodes: [a, b, c],
    pods: [podOn("a", { ready: false }), podOn("b", old), podOn("c", { ...old, ready: false })],
    want: ["delete agent-c-old"],
  },
  {
    name: "a share of the nodes may be without, rounded up",
    set: setOf(rolling({ maxUnavailable: "50%" })),
    nodes: [a, b, c],
    pods: [podOn("a", old), podOn("b", old), podOn("c", old)],
    want: ["delete agent-a-old,agent-b-old"],
  },
  {
    name: "OnDelete updates nothing by itself",
    set: setOf({ updateStrategy: { type: "OnDelete" } }),
    nodes: [a],
    pods: [podOn("a", old)],
    want: [],
  },
  {
    name: "with surge the new pod is made beside the old",
    set: setOf(surge),
    nodes: [a],
    pods: [podOn("a", old)],
    want: ["create on a"],
  },
  {
    name: "the old one stays while the new one is not ready",
    set: setOf(surge),
    nodes: [a],
    pods: [podOn("a", old), podOn("a", { ready: false, age: 5 })],
    want: [],
  },
  {
    name: "and goes when it is",
    set: setOf(surge),
    nodes: [a],
    pods: [podOn("a", old), podOn("a", { age: 5 })],
    want: ["delete agent-a-old"],
  },
  {
    name: "with surge an old pod that does not serve gets its new one beyond the limit",
    set: setOf(surge),
    nodes: [a, b, c],
    pods: [podOn("a", old), podOn("b", { ...old, ready: false }), podOn("c", old)],
    want: ["create on b,a"],
  },
];

for (const { name, set = setOf(), nodes, pods, more, want } of cases) {
  test(name, () => assert.deepEqual(plan(set, nodes, pods, more).actions.map(said), want));
}

test("the status counts nodes, not pods", () => {
  const { status } = plan(setOf(), [a, b, c], [podOn("a"), podOn("b", { ...old, ready: false })]);
  assert.deepEqual(status, {
    currentNumberScheduled: 2,
    numberMisscheduled: 0,
    desiredNumberScheduled: 3,
    numberReady: 1,
    observedGeneration: 1,
    updatedNumberScheduled: 1,
    numberAvailable: 1,
    numberUnavailable: 2,
  });
});
