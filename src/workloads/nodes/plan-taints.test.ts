import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Pod, Toleration } from "#api";
import { memoryPressure } from "./heartbeat.ts";
import { evictionMs, type NodeTaint, wantedTaints } from "./plan-taints.ts";

function nodeOf(taints: NodeTaint[], unschedulable = false): Node {
  return { apiVersion: "v1", kind: "Node", metadata: { name: "here" }, spec: { taints, unschedulable } };
}

function podOf(tolerations: Toleration[], nodeName = "here"): Pod {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { containers: [], nodeName, tolerations } };
}

const bad: NodeTaint = { key: "bad", effect: "NoExecute" };
const worse: NodeTaint = { key: "worse", value: "yes", effect: "NoExecute" };
const cordon: NodeTaint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

const taintCases: { name: string; node: Node; want: (string | undefined)[] | undefined }[] = [
  { name: "a node that takes pods has no taint of ours", node: nodeOf([bad]), want: undefined },
  { name: "a cordoned node is tainted, beside others", node: nodeOf([bad], true), want: ["bad", cordon.key] },
  { name: "once", node: nodeOf([cordon], true), want: undefined },
  { name: "and no more when it takes pods again", node: nodeOf([cordon, bad]), want: ["bad"] },
];
for (const { name, node, want } of taintCases) {
  test(name, () =>
    assert.deepEqual(
      wantedTaints(node, "t")?.map(({ key }) => key),
      want,
    ),
  );
}

const evictionCases: { name: string; taints: NodeTaint[]; pod: Pod; want: number | undefined }[] = [
  { name: "a pod stays where nothing drives it away", taints: [cordon], pod: podOf([]), want: undefined },
  { name: "a pod that does not bear a taint goes at once", taints: [bad], pod: podOf([]), want: 1000 },
  { name: "one that bears it stays", taints: [bad], pod: podOf([{ key: "bad", operator: "Exists" }]), want: undefined },
  {
    name: "one that bears it for a while goes then",
    taints: [bad],
    pod: podOf([{ key: "bad", operator: "Exists", tolerationSeconds: 30 }]),
    want: 31_000,
  },
  {
    name: "it must bear all of them",
    taints: [bad, worse],
    pod: podOf([{ key: "bad", operator: "Exists" }]),
    want: 1000,
  },
  {
    name: "the shortest time counts",
    taints: [bad, worse],
    pod: podOf([
      { key: "bad", operator: "Exists", tolerationSeconds: 60 },
      { key: "worse", value: "yes", tolerationSeconds: 5 },
    ]),
    want: 6000,
  },
  { name: "pods of other nodes are not meant", taints: [bad], pod: podOf([], "there"), want: undefined },
];
for (const { name, taints, pod, want } of evictionCases) {
  test(name, () => assert.equal(evictionMs(nodeOf(taints), pod, 1000), want));
}

test("memory is short below 100 MiB", () => {
  assert.equal(memoryPressure(101 * 1024 * 1024).status, "False");
  assert.equal(memoryPressure(99 * 1024 * 1024).status, "True");
});
