import assert from "node:assert/strict";
import { test } from "node:test";
import type { Node, Pod, PodSpec } from "#api";
import { schedulingProblem } from "./fits-node.ts";

function nodeOf(spec: NonNullable<Node["spec"]> = {}): Node {
  const labels = { "kubernetes.io/os": "linux", disk: "ssd", cores: "8" };
  return { apiVersion: "v1", kind: "Node", metadata: { name: "here", labels }, spec };
}

function podOf(spec: Partial<PodSpec>): Pod {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec: { containers: [], ...spec } };
}

function wanting(...matchExpressions: { key: string; operator: string; values?: string[] }[]): Partial<PodSpec> {
  const terms = { nodeSelectorTerms: [{ matchExpressions }] };
  return { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } };
}

const selector = "node(s) didn't match Pod's node affinity/selector";
const cordoned = nodeOf({ unschedulable: true });
const tainted = nodeOf({ taints: [{ key: "gpu", value: "yes", effect: "NoSchedule" }] });
const cases: { name: string; pod: Partial<PodSpec>; node?: Node; want: string | undefined }[] = [
  { name: "a pod that asks nothing fits", pod: {}, want: undefined },
  { name: "a node selector that matches fits", pod: { nodeSelector: { disk: "ssd" } }, want: undefined },
  { name: "a node selector that does not match is told", pod: { nodeSelector: { disk: "hdd" } }, want: selector },
  { name: "In", pod: wanting({ key: "disk", operator: "In", values: ["hdd", "ssd"] }), want: undefined },
  { name: "NotIn", pod: wanting({ key: "disk", operator: "NotIn", values: ["ssd"] }), want: selector },
  {
    name: "NotIn holds where the label is missing",
    pod: wanting({ key: "x", operator: "NotIn", values: ["1"] }),
    want: undefined,
  },
  { name: "Exists", pod: wanting({ key: "x", operator: "Exists" }), want: selector },
  { name: "DoesNotExist", pod: wanting({ key: "x", operator: "DoesNotExist" }), want: undefined },
  { name: "Gt compares numbers", pod: wanting({ key: "cores", operator: "Gt", values: ["10"] }), want: selector },
  { name: "Lt compares numbers", pod: wanting({ key: "cores", operator: "Lt", values: ["10"] }), want: undefined },
  { name: "a term without rules matches nothing", pod: wanting(), want: selector },
  { name: "a cordoned node takes no pods", pod: {}, node: cordoned, want: "node(s) were unschedulable" },
  {
    name: "a cordoned node takes pods that tolerate it",
    pod: { tolerations: [{ key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" }] },
    node: cordoned,
    want: undefined,
  },
  { name: "a taint keeps pods away", pod: {}, node: tainted, want: "node(s) had untolerated taint {gpu: yes}" },
  {
    name: "a taint is tolerated by an equal value",
    pod: { tolerations: [{ key: "gpu", value: "yes" }] },
    node: tainted,
    want: undefined,
  },
  {
    name: "another value does not tolerate it",
    pod: { tolerations: [{ key: "gpu", operator: "Equal", value: "no" }] },
    node: tainted,
    want: "node(s) had untolerated taint {gpu: yes}",
  },
  {
    name: "Exists without a key tolerates all",
    pod: { tolerations: [{ operator: "Exists" }] },
    node: tainted,
    want: undefined,
  },
  {
    name: "a toleration of another effect does not help",
    pod: { tolerations: [{ key: "gpu", operator: "Exists", effect: "NoExecute" }] },
    node: tainted,
    want: "node(s) had untolerated taint {gpu: yes}",
  },
  {
    name: "a taint that only prefers keeps nobody away",
    pod: {},
    node: nodeOf({ taints: [{ key: "old", effect: "PreferNoSchedule" }] }),
    want: undefined,
  },
];

for (const { name, pod, node = nodeOf(), want } of cases) {
  test(name, () => assert.equal(schedulingProblem(podOf(pod), node), want));
}
