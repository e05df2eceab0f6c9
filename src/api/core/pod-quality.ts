import type { PodSpec } from "./pod.ts";

const counted = ["cpu", "memory"] as const;

/** How well a pod is protected when a node runs short, by what its containers ask for. Pure. */
export function qosClassOf(spec: PodSpec): "Guaranteed" | "Burstable" | "BestEffort" {
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => ({
    limits: resources?.limits ?? {},
    requests: resources?.requests ?? {},
  }));
  const amounts = (list: Record<string, string>): boolean => counted.some((name) => (list[name] ?? "0") !== "0");
  if (!containers.some(({ limits, requests }) => amounts(limits) || amounts(requests))) return "BestEffort";
  const guaranteed = containers.every(({ limits, requests }) =>
    counted.every((name) => limits[name] !== undefined && (requests[name] ?? limits[name]) === limits[name]),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
