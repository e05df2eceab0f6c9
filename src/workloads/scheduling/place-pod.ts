/**
 * Whether a pod can be placed on the only node there is: pure. Upstream's filters in its order, of which the first that
 * refuses is told; what they are told in is upstream's words.
 */
import { matchesSelector, milliOf, type Node, type Pod, type PodAffinityTerm } from "#api";
import { schedulingProblem } from "./fits-node.ts";
import type { Occupancy } from "./occupancy.ts";
import { podRequests } from "./pod-requests.ts";

export interface PlacementObserved {
  readonly pod: Pod;
  /** Undefined until the node has registered itself. */
  readonly node: Node | undefined;
  /** Who is placed on the node and has not ended, the pod itself aside. */
  readonly placed: Pick<Occupancy, "count" | "used" | "pods" | "wary">;
  /** What is wrong with a claim of the pod; undefined when it is bound or may be. */
  readonly claimProblem: string | undefined;
  /** Labels of namespaces, for terms that choose them so. */
  readonly namespaceLabels: (name: string) => Record<string, string> | undefined;
}

export type Placement =
  | { readonly kind: "fits" }
  | { readonly kind: "gated" }
  | { readonly kind: "refused"; readonly message: string };

interface Refusal {
  readonly reason: string;
  /** Whether fewer pods on the node would help: upstream tells that apart when it speaks of preemption. */
  readonly roomWouldHelp: boolean;
}

export function placePod(observed: PlacementObserved): Placement {
  const { pod, node, claimProblem } = observed;
  if ((pod.spec.schedulingGates ?? []).length > 0) return { kind: "gated" };
  if (node === undefined) return { kind: "refused", message: "no nodes available to schedule pods" };
  if (claimProblem !== undefined) return refused(claimProblem, "Preemption is not helpful for scheduling");
  const refusal = refusalOf(observed, node);
  if (refusal === undefined) return { kind: "fits" };
  const preemption = refusal.roomWouldHelp
    ? "No preemption victims found for incoming pod"
    : "Preemption is not helpful for scheduling";
  return refused(`1 ${refusal.reason}`, preemption);
}

function refused(reason: string, preemption: string): Placement {
  return {
    kind: "refused",
    message: `0/1 nodes are available: ${reason}. preemption: 0/1 nodes are available: 1 ${preemption}.`,
  };
}

function refusalOf(observed: PlacementObserved, node: Node): Refusal | undefined {
  const { pod, placed } = observed;
  const static_ = schedulingProblem(pod, node);
  if (static_ !== undefined) return { reason: static_, roomWouldHelp: false };
  if (portsCollide(pod, placed)) {
    return { reason: "node(s) didn't have free ports for the requested pod ports", roomWouldHelp: true };
  }
  const lacking = lackingResources(pod, node, placed);
  if (lacking.length > 0) return { reason: lacking.join(", 1 "), roomWouldHelp: true };
  const affinity = affinityProblem(observed, node);
  return affinity === undefined ? undefined : { reason: affinity, roomWouldHelp: affinity.includes("anti") };
}

function portsCollide(pod: Pod, placed: PlacementObserved["placed"]): boolean {
  const wanted = hostPorts(pod);
  return wanted.size > 0 && some(placed.pods(), (other) => hostPorts(other).intersection(wanted).size > 0);
}

function some(pods: Iterable<Pod>, test: (pod: Pod) => boolean): boolean {
  for (const pod of pods) if (test(pod)) return true;
  return false;
}

function hostPorts({ spec }: Pod): Set<string> {
  const ports = [...spec.containers, ...(spec.initContainers ?? [])].flatMap((container) => container.ports ?? []);
  return new Set(
    ports.filter(({ hostPort = 0 }) => hostPort > 0).map((port) => `${port.hostPort}/${port.protocol ?? "TCP"}`),
  );
}

/** `Too many pods`, `Insufficient cpu`, … */
function lackingResources(pod: Pod, node: Node, placed: PlacementObserved["placed"]): string[] {
  const allocatable = node.status?.allocatable ?? {};
  const room = (name: string): number => (milliOf(allocatable[name] ?? "0") ?? 0) - placed.used(name);
  const tooMany = placed.count + 1 > (milliOf(allocatable["pods"] ?? "0") ?? 0) / 1000;
  const insufficient = [...podRequests(pod)].filter(([name, milli]) => milli > 0 && milli > room(name));
  return [...(tooMany ? ["Too many pods"] : []), ...insufficient.map(([name]) => `Insufficient ${name}`).sort()];
}

function affinityProblem(observed: PlacementObserved, node: Node): string | undefined {
  const { pod, placed } = observed;
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const wanted = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const unwanted = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const isThere = (term: PodAffinityTerm): boolean =>
    some(placed.pods(), (other) => chooses(observed, pod, term, other));
  // The first of a group that wants to be together may come when none is there yet but itself.
  const met = wanted.every((term) => hasTopology(node, term) && (chooses(observed, pod, term, pod) || isThere(term)));
  if (!met) return "node(s) didn't match pod affinity rules";
  if (unwanted.some(isThere)) return "node(s) didn't match pod anti-affinity rules";
  const isRefused = some(placed.wary(), (other) => {
    const terms = other.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
    return terms.some((term) => chooses(observed, other, term, pod));
  });
  return isRefused ? "node(s) didn't satisfy existing pods anti-affinity rules" : undefined;
}

function hasTopology(node: Node, { topologyKey }: PodAffinityTerm): boolean {
  return node.metadata.labels?.[topologyKey] !== undefined;
}

/** Whether a term of `owner` means `other`: in its own namespace unless it names or chooses others. */
function chooses(observed: PlacementObserved, owner: Pod, term: PodAffinityTerm, other: Pod): boolean {
  const namespace = other.metadata.namespace ?? "";
  const named = term.namespaces ?? [];
  const own = named.length === 0 && term.namespaceSelector === undefined;
  const inNamespace =
    named.includes(namespace) ||
    (own && namespace === (owner.metadata.namespace ?? "")) ||
    (term.namespaceSelector !== undefined &&
      matchesSelector(term.namespaceSelector, observed.namespaceLabels(namespace)));
  return inNamespace && matchesSelector(term.labelSelector, other.metadata.labels);
}
