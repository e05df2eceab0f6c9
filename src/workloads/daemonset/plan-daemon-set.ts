/** What a DaemonSet needs done: pure, upstream's rules for one pod a node and for changing them. */
import { type DaemonSet, isPodReady, type Node, type Pod } from "#api";
import { isAvailable, nextAvailableMs } from "../pod-state.ts";
import { revisionHashLabel } from "../revisions/plan-revisions.ts";
import { fitOf, nodeOf } from "./daemon-pod.ts";
import {
  type DaemonSetAction,
  type DaemonSetObserved,
  type DaemonSetPlan,
  type DaemonSetStatus,
  type NodeState,
  surgeOf,
} from "./daemon-set-state.ts";
import { updateActions } from "./plan-daemon-update.ts";

export function planDaemonSet(observed: DaemonSetObserved): DaemonSetPlan {
  const { set, nodes } = observed;
  const states = nodes.map((node): NodeState => ({ node, ...fitOf(set, node), pods: podsOn(observed, node) }));
  const steps = states.map((state) => manageNode(observed, state));
  const created = steps.flatMap(({ create }) => (create === undefined ? [] : [create]));
  const removed = [...steps.flatMap((step) => step.remove), ...homeless(observed)];
  const replaced = steps.flatMap(({ replace }) => replace);
  const managed: DaemonSetAction[] = [
    ...replaced,
    ...(created.length === 0 ? [] : [{ kind: "create" as const, nodes: created }]),
    ...(removed.length === 0 ? [] : [{ kind: "delete" as const, pods: removed }]),
  ];
  // An update goes on when what has to be is there: it counts on one pod a node.
  const updates =
    managed.length === 0 && set.spec.updateStrategy?.type !== "OnDelete" ? updateActions(observed, states) : [];
  return { actions: [...managed, ...updates], status: statusOf(observed, states), wakeAtMs: wakeAt(observed) };
}

function podsOn({ pods }: DaemonSetObserved, { metadata }: Node): Pod[] {
  const bound = (pod: Pod): number => ((pod.spec.nodeName ?? "") === "" ? 1 : 0);
  return pods
    .filter((pod) => nodeOf(pod) === metadata.name)
    .toSorted(
      (a, b) =>
        bound(a) - bound(b) ||
        compare(a.metadata.creationTimestamp, b.metadata.creationTimestamp) ||
        compare(a.metadata.name, b.metadata.name),
    );
}

function compare(a = "", b = ""): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Pods meant for nodes that are not there any more. */
function homeless({ nodes, pods }: DaemonSetObserved): Pod[] {
  const known = new Set(nodes.map(({ metadata }) => metadata.name));
  return pods.filter((pod) => !known.has(nodeOf(pod)) && pod.metadata.deletionTimestamp === undefined);
}

interface NodeStep {
  readonly create?: string;
  readonly remove: readonly Pod[];
  readonly replace: readonly DaemonSetAction[];
}

function manageNode(observed: DaemonSetObserved, state: NodeState): NodeStep {
  const { node, run, stay, pods } = state;
  const name = node.metadata.name;
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (!stay) return { remove: staying, replace: [] };
  if (run && pods.length === 0) return { create: name, remove: [], replace: [] };
  const running = staying.filter(({ status }) => status?.phase !== "Failed" && status?.phase !== "Succeeded");
  const replace = staying.flatMap((pod) => replacement(observed, name, pod));
  if (!allowsSurge(observed.set)) return { remove: running.slice(1), replace };
  // A pod that only goes slowly is no reason to have none meanwhile.
  if (running.length === 0 && replace.length === 0 && run) return { create: name, remove: [], replace };
  return { remove: running.length <= 1 ? [] : surplusOfSurge(observed, running), replace };
}

function replacement({ backingOff, nowMs }: DaemonSetObserved, node: string, pod: Pod): DaemonSetAction[] {
  const what = `daemon pod ${pod.metadata.namespace}/${pod.metadata.name} on node ${node}`;
  if (pod.status?.phase === "Succeeded") {
    const message = `Found succeeded ${what}, will try to delete it`;
    return [{ kind: "replace", node, pod, text: { type: "Normal", reason: "SucceededDaemonPod", message } }];
  }
  if (pod.status?.phase !== "Failed" || (backingOff.get(node) ?? 0) > nowMs) return [];
  const message = `Found failed ${what}, will try to kill it`;
  return [{ kind: "replace", node, pod, text: { type: "Warning", reason: "FailedDaemonPod", message } }];
}

/** Two may be there while the new one is not ready and the old one is. */
function surplusOfSurge({ set, hash, nowMs }: DaemonSetObserved, running: readonly Pod[]): Pod[] {
  const isNew = (pod: Pod): boolean => pod.metadata.labels?.[revisionHashLabel] === hash;
  const fresh = running.find(isNew);
  const old = running.find((pod) => !isNew(pod));
  const surplus = running.filter((pod) => pod !== fresh && pod !== old);
  if (fresh === undefined || old === undefined) return surplus;
  const replaced = !isPodReady(old) || isAvailable(fresh, set.spec.minReadySeconds ?? 0, nowMs);
  return replaced ? [...surplus, old] : surplus;
}

function allowsSurge(set: DaemonSet): boolean {
  return surgeOf(set, 1) > 0;
}

function statusOf({ set, hash, nowMs }: DaemonSetObserved, states: readonly NodeState[]): DaemonSetStatus {
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  const desired = states.filter(({ run }) => run);
  const present = desired.flatMap(({ pods }) => pods.slice(0, 1));
  const available = present.filter((pod) => isPodReady(pod) && isAvailable(pod, minReadySeconds, nowMs)).length;
  const updated = present.filter(({ metadata }) => metadata.labels?.[revisionHashLabel] === hash).length;
  const unavailable = desired.length - available;
  const { collisionCount, conditions } = set.status ?? {};
  return {
    currentNumberScheduled: present.length,
    numberMisscheduled: states.filter(({ run, pods }) => !run && pods.length > 0).length,
    desiredNumberScheduled: desired.length,
    numberReady: present.filter(isPodReady).length,
    observedGeneration: set.metadata.generation ?? 0,
    ...(updated === 0 ? {} : { updatedNumberScheduled: updated }),
    ...(available === 0 ? {} : { numberAvailable: available }),
    ...(unavailable === 0 ? {} : { numberUnavailable: unavailable }),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions }),
  };
}

function wakeAt({ set, pods, backingOff, nowMs }: DaemonSetObserved): number | undefined {
  const failed = pods.filter(({ status }) => status?.phase === "Failed").map((pod) => backingOff.get(nodeOf(pod)) ?? 0);
  const available = nextAvailableMs(pods, set.spec.minReadySeconds ?? 0, nowMs) ?? Infinity;
  const next = Math.min(available, ...failed.filter((atMs) => atMs > nowMs));
  return Number.isFinite(next) ? next : undefined;
}
