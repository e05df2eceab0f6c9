/** What a pod asks of a node: pure. */
import { type Container, milliOf, type Pod } from "#api";

/**
 * What a pod asks of a node, in thousandths: its containers and sidecars together, or an init container with the
 * sidecars before it where that is more; and what the pod itself costs.
 */
export function podRequests({ spec }: Pod): ReadonlyMap<string, number> {
  const total = new Map<string, number>();
  const sidecars = new Map<string, number>();
  const peaks = new Map<string, number>();
  for (const container of spec.containers) add(total, requestsOf(container));
  for (const container of spec.initContainers ?? []) {
    const own = requestsOf(container);
    if (container.restartPolicy === "Always") {
      add(total, own);
      add(sidecars, own);
    }
    for (const [name, milli] of own) {
      const beside = sidecars.get(name) ?? 0;
      const peak = container.restartPolicy === "Always" ? beside : beside + milli;
      peaks.set(name, Math.max(peaks.get(name) ?? 0, peak));
    }
  }
  for (const [name, peak] of peaks) total.set(name, Math.max(total.get(name) ?? 0, peak));
  add(total, Object.entries((spec["overhead"] as Record<string, string> | undefined) ?? {}).map(inMilli));
  return total;
}

function requestsOf(container: Container): [string, number][] {
  return Object.entries(container.resources?.requests ?? {}).map(inMilli);
}

function inMilli([name, text]: [string, string]): [string, number] {
  return [name, milliOf(text) ?? 0];
}

function add(total: Map<string, number>, more: readonly [string, number][]): void {
  for (const [name, milli] of more) total.set(name, (total.get(name) ?? 0) + milli);
}
