/** How many replicas a metric asks for: pure, upstream's arithmetic. Values are in thousandths. */
import { type Container, milliOf, type Pod } from "#api";
import { groupPods } from "./group-pods.ts";
import type { PodReading } from "./readings.ts";

export interface Count {
  readonly replicas: number;
  /** The average a pod, as the status tells it. */
  readonly average: number;
  /** Per cent of what the pods request, for resources. */
  readonly utilization?: number;
}

export type CountResult = { readonly count: Count } | { readonly problem: string };

export interface PodsQuestion {
  readonly pods: readonly Pod[];
  readonly readings: ReadonlyMap<string, PodReading>;
  /** `cpu`, `memory`; "" for metrics of the pods' own. */
  readonly resource: string;
  /** "" for the whole pod. */
  readonly container: string;
  readonly target:
    | { readonly kind: "utilization"; readonly percent: number }
    | { readonly kind: "average"; readonly milli: number };
  readonly currentReplicas: number;
  readonly nowMs: number;
}

/** Within 10 % of the target nothing is done. */
const tolerance = 0.1;

export function isWithinTolerance(ratio: number): boolean {
  // 1.1 exactly is within, whatever binary fractions make of it.
  return Math.abs(1 - ratio) <= tolerance + 1e-12;
}

/**
 * Pods that tell nothing are taken for the case that would least change things: at their target when fewer are wanted,
 * idle when more are; those that are not ready for idle when more are wanted. If that turns the verdict, nothing is done.
 */
export function countForPods(question: PodsQuestion): CountResult {
  const { pods, readings, resource, target, currentReplicas, nowMs } = question;
  if (pods.length === 0) return { problem: "no pods returned by selector while calculating replica count" };
  const groups = groupPods(pods, readings, resource, nowMs);
  const values = new Map([...readings].map(([name, { milli }]) => [name, milli]));
  for (const name of [...groups.ignored, ...groups.unready]) values.delete(name);
  if (values.size === 0) return { problem: "did not receive metrics for targeted pods (pods might be unready)" };
  const requests =
    target.kind === "utilization" ? podRequests(pods, question.container, resource) : new Map<string, number>();
  if (typeof requests === "string") return { problem: requests };
  const first = usage(values, requests, target);
  if (first === undefined) return { problem: "no metrics returned matched known pods" };
  const stay: Count = { ...first, replicas: currentReplicas };
  const moreWithUnready = groups.unready.size > 0 && first.ratio > 1;
  if (!moreWithUnready && groups.missing.size === 0) {
    const replicas = Math.ceil(round(first.ratio * groups.ready));
    return { count: plain(isWithinTolerance(first.ratio) ? stay : { ...first, replicas }) };
  }
  for (const name of groups.missing) {
    if (first.ratio < 1) values.set(name, assumed(target, requests.get(name) ?? 0));
    else if (first.ratio > 1) values.set(name, 0);
  }
  if (moreWithUnready) for (const name of groups.unready) values.set(name, 0);
  const second = usage(values, requests, target)?.ratio ?? 1;
  const turned = (first.ratio < 1 && second > 1) || (first.ratio > 1 && second < 1);
  if (isWithinTolerance(second) || turned) return { count: plain(stay) };
  const replicas = Math.ceil(round(second * values.size));
  const wrongWay = (second < 1 && replicas > currentReplicas) || (second > 1 && replicas < currentReplicas);
  return { count: plain(wrongWay ? stay : { ...first, replicas }) };
}

/** For one value that stands for all pods: `ready` of them share it now. */
export function countForValue(value: number, target: number, currentReplicas: number, ready: number): Count {
  const ratio = value / target;
  if (currentReplicas === 0) return { replicas: Math.ceil(ratio), average: value };
  const replicas = isWithinTolerance(ratio) ? currentReplicas : Math.ceil(round(ratio * ready));
  return { replicas, average: value };
}

/** For one value of which each pod should have its share. */
export function countForShare(value: number, target: number, statusReplicas: number): Count {
  const ratio = value / (target * statusReplicas);
  const replicas = isWithinTolerance(ratio) ? statusReplicas : Math.ceil(round(value / target));
  return { replicas, average: statusReplicas === 0 ? 0 : Math.ceil(value / statusReplicas) };
}

type Usage = Omit<Count, "replicas"> & { readonly ratio: number };

function usage(
  values: ReadonlyMap<string, number>,
  requests: ReadonlyMap<string, number>,
  target: PodsQuestion["target"],
): Usage | undefined {
  if (target.kind === "average") {
    const average = Math.trunc(sum(values.values()) / values.size);
    return { ratio: average / target.milli, average };
  }
  const known = [...values].filter(([name]) => requests.has(name));
  const used = sum(known.map(([, milli]) => milli));
  const requested = sum(known.map(([name]) => requests.get(name) ?? 0));
  if (requested === 0) return undefined;
  const utilization = Math.trunc((used * 100) / requested);
  return { ratio: utilization / target.percent, average: Math.trunc(used / known.length), utilization };
}

function assumed(target: PodsQuestion["target"], request: number): number {
  return target.kind === "average" ? target.milli : Math.trunc((request * Math.max(100, target.percent)) / 100);
}

/** What the pods request of a resource, or which container does not say. */
function podRequests(pods: readonly Pod[], container: string, resource: string): Map<string, number> | string {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    let total = 0;
    for (const { name, resources } of lasting(pod)) {
      if (container !== "" && container !== name) continue;
      const milli = milliOf(resources?.requests?.[resource] ?? "");
      if (milli === undefined)
        return `missing request for ${resource} in container ${name} of Pod ${pod.metadata.name}`;
      total += milli;
    }
    requests.set(pod.metadata.name, total);
  }
  return requests;
}

function lasting({ spec }: Pod): Container[] {
  return [...spec.containers, ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always")];
}

function plain({ replicas, average, utilization }: Count): Count {
  return { replicas, average, ...(utilization === undefined ? {} : { utilization }) };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** So that 3 × 1.1 asks for 4 only when it is more than 3.3 by more than binary fractions. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}
