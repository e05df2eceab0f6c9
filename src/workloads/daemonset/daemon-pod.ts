/** The pod of a DaemonSet on a node, and whether there should be one: pure. */
import { type DaemonSet, daemonSets, type Node, type Pod, type PodSpec, type Toleration } from "#api";
import { podFromTemplate } from "../pods/pod-writes.ts";
import { revisionHashLabel } from "../revisions/plan-revisions.ts";
import { matchesNode, untoleratedTaint } from "../scheduling/fits-node.ts";

/** What upstream lets daemons bear: troubles of their node must not end what watches over it. */
const daemonTolerations: readonly Toleration[] = [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
];
const hostNetworkToleration: Toleration = {
  key: "node.kubernetes.io/network-unavailable",
  operator: "Exists",
  effect: "NoSchedule",
};

export interface NodeFit {
  /** A pod should be made where there is none. */
  readonly run: boolean;
  /** A pod that is there may stay. */
  readonly stay: boolean;
}

export function fitOf({ spec }: DaemonSet, node: Node): NodeFit {
  const pod = spec.template.spec;
  const named = pod.nodeName ?? "";
  if ((named !== "" && named !== node.metadata.name) || !matchesNode(pod, node)) return { run: false, stay: false };
  const tolerations = withDaemonTolerations(pod);
  if (untoleratedTaint(node, tolerations, ["NoSchedule", "NoExecute"]) === undefined) return { run: true, stay: true };
  return { run: false, stay: untoleratedTaint(node, tolerations, ["NoExecute"]) === undefined };
}

function withDaemonTolerations(spec: PodSpec): Toleration[] {
  const wanted = spec.hostNetwork === true ? [...daemonTolerations, hostNetworkToleration] : daemonTolerations;
  const present = spec.tolerations ?? [];
  const others = present.filter(
    (own) =>
      !wanted.some(
        ({ key, operator, effect }) => own.key === key && own.operator === operator && own.effect === effect,
      ),
  );
  return [...others, ...wanted];
}

/** Bound by an affinity to its node's name, as upstream: whoever schedules then has no choice. */
export function daemonPodOf(
  set: DaemonSet,
  hash: string,
  nodeName: string,
  names: { readonly name: string; readonly generateName: string },
): Pod {
  const pod = podFromTemplate(daemonSets, set, set.spec.template, names);
  const onNode = { matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] };
  const affinity = {
    ...pod.spec.affinity,
    nodeAffinity: {
      ...pod.spec.affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [onNode] },
    },
  };
  return {
    ...pod,
    metadata: { ...pod.metadata, labels: { ...pod.metadata.labels, [revisionHashLabel]: hash } },
    spec: { ...pod.spec, affinity, tolerations: withDaemonTolerations(pod.spec) },
  };
}

/** The node a pod is on or is meant for. */
export function nodeOf({ spec }: Pod): string {
  if ((spec.nodeName ?? "") !== "") return spec.nodeName ?? "";
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms) {
    const name = matchFields.find(({ key, operator }) => key === "metadata.name" && operator === "In")?.values?.[0];
    if (name !== undefined) return name;
  }
  return "";
}
