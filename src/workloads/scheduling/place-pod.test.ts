import assert from "node:assert/strict";
import { test } from "node:test";
import type { Container, Node, Pod, PodSpec } from "#api";
import { Occupancy } from "./occupancy.ts";
import { placePod, type PlacementObserved } from "./place-pod.ts";
import { podRequests } from "./pod-requests.ts";

function podOf(name: string, spec: Partial<PodSpec> = {}, labels: Record<string, string> = {}): Pod {
  const metadata = { name, namespace: "shop", uid: name, labels };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [asking({})], ...spec } };
}

function asking(requests: Record<string, string>, more: Partial<Container> = {}): Container {
  return { name: "app", image: "i", resources: { requests }, ...more };
}

const node: Node = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "local", labels: { "kubernetes.io/hostname": "local", disk: "ssd" } },
  status: { allocatable: { cpu: "2", memory: "4Gi", pods: "3" } },
};
const onePod = { labelSelector: { matchLabels: { app: "web" } }, topologyKey: "kubernetes.io/hostname" };
const apart = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [onePod] } };
const together = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [onePod] } };
const web = (name: string, spec: Partial<PodSpec> = {}): Pod => podOf(name, spec, { app: "web" });

const helpful = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
const unhelpful = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";

type Given = Partial<Omit<PlacementObserved, "placed">> & { readonly placed?: readonly Pod[] };

const cases: { name: string; given: Given; want: string }[] = [
  { name: "a pod that asks for nothing fits", given: {}, want: "fits" },
  { name: "gates hold a pod back", given: { pod: podOf("a", { schedulingGates: [{ name: "g" }] }) }, want: "gated" },
  {
    name: "before the node is known nothing fits",
    given: { node: undefined },
    want: "no nodes available to schedule pods",
  },
  {
    name: "what is left of the node counts",
    given: {
      pod: podOf("a", { containers: [asking({ cpu: "600m" })] }),
      placed: [podOf("b", { containers: [asking({ cpu: "1500m" })] })],
    },
    want: `0/1 nodes are available: 1 Insufficient cpu. ${helpful}`,
  },
  {
    name: "the last of it may be taken",
    given: {
      pod: podOf("a", { containers: [asking({ cpu: "500m", memory: "4Gi" })] }),
      placed: [podOf("b", { containers: [asking({ cpu: "1500m" })] })],
    },
    want: "fits",
  },
  {
    name: "all that lacks is told",
    given: { pod: podOf("a", { containers: [asking({ memory: "5Gi", cpu: "3", "example.com/gpu": "1" })] }) },
    want: `0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient example.com/gpu, 1 Insufficient memory. ${helpful}`,
  },
  {
    name: "a node takes so many pods and no more",
    given: { placed: [podOf("b"), podOf("c"), podOf("d")] },
    want: `0/1 nodes are available: 1 Too many pods. ${helpful}`,
  },
  {
    name: "a node selector that does not match refuses",
    given: { pod: podOf("a", { nodeSelector: { disk: "tape" } }) },
    want: `0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. ${unhelpful}`,
  },
  {
    name: "a cordoned node takes nothing",
    given: { node: { ...node, spec: { unschedulable: true } } },
    want: `0/1 nodes are available: 1 node(s) were unschedulable. ${unhelpful}`,
  },
  {
    name: "a taint nobody tolerates refuses",
    given: { node: { ...node, spec: { taints: [{ key: "k", value: "v", effect: "NoSchedule" }] } } },
    want: `0/1 nodes are available: 1 node(s) had untolerated taint {k: v}. ${unhelpful}`,
  },
  {
    name: "a host port is taken once",
    given: {
      pod: podOf("a", { containers: [asking({}, { ports: [{ containerPort: 80, hostPort: 8081 }] })] }),
      placed: [podOf("b", { containers: [asking({}, { ports: [{ containerPort: 90, hostPort: 8081 }] })] })],
    },
    want: `0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports. ${helpful}`,
  },
  {
    name: "a claim that is not bound is waited for",
    given: { claimProblem: "pod has unbound immediate PersistentVolumeClaims" },
    want: `0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. ${unhelpful}`,
  },
  {
    name: "a pod that wants to be alone is not put beside its like",
    given: { pod: web("a", { affinity: apart }), placed: [web("b")] },
    want: `0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules. ${helpful}`,
  },
  {
    name: "nor is another put beside it",
    given: { pod: web("a"), placed: [podOf("b", { affinity: apart })] },
    want: `0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules. ${helpful}`,
  },
  {
    name: "its like of another namespace does not count",
    given: {
      pod: web("a", { affinity: apart }),
      placed: [{ ...web("b"), metadata: { ...web("b").metadata, namespace: "other" } }],
    },
    want: "fits",
  },
  {
    name: "a pod that wants company waits for it",
    given: { pod: podOf("a", { affinity: together }) },
    want: `0/1 nodes are available: 1 node(s) didn't match pod affinity rules. ${unhelpful}`,
  },
  {
    name: "but the first of a group that wants its own company may come",
    given: { pod: web("a", { affinity: together }) },
    want: "fits",
  },
];

for (const { name, given, want } of cases) {
  test(name, () => {
    const placed = new Occupancy();
    for (const pod of given.placed ?? []) placed.put(pod);
    const unlabelled = (): Record<string, string> => ({});
    const observed = { pod: podOf("a"), node, claimProblem: undefined, namespaceLabels: unlabelled, ...given, placed };
    const placement = placePod(observed);
    assert.equal(placement.kind === "refused" ? placement.message : placement.kind, want);
  });
}

test("a pod asks for its containers and sidecars, or for an init container's peak", () => {
  const pod = podOf("a", {
    containers: [asking({ cpu: "100m" }), asking({ cpu: "100m", memory: "1Mi" })],
    initContainers: [
      asking({ cpu: "50m" }, { name: "proxy", restartPolicy: "Always" }),
      asking({ cpu: "400m" }, { name: "setup" }),
    ],
  });
  assert.deepEqual(Object.fromEntries(podRequests(pod)), { cpu: 450, memory: 1024 * 1024 * 1000 });
});

test("what a pod took is free again when it goes, or asks for less", () => {
  const placed = new Occupancy();
  placed.put(podOf("a", { containers: [asking({ cpu: "1" })] }));
  placed.put(podOf("b", { containers: [asking({ cpu: "500m" })], affinity: apart }));
  placed.put(podOf("a", { containers: [asking({ cpu: "250m" })] }));
  assert.deepEqual([placed.count, placed.used("cpu"), [...placed.wary()].length], [2, 750, 1]);
  placed.remove("b");
  placed.remove("b");
  assert.deepEqual([placed.count, placed.used("cpu"), [...placed.wary()].length], [1, 250, 0]);
});
