/** What controllers ask of a pod: pure. */
import { isPodReady, type Pod } from "#api";

/** Counts towards replicas: neither ended nor on its way out. */
export function isActive(pod: Pod): boolean {
  return !isEnded(pod) && pod.metadata.deletionTimestamp === undefined;
}

export function isEnded(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** When the pod became ready; undefined while it is not. */
export function readySinceMs(pod: Pod): number | undefined {
  if (!isPodReady(pod)) return undefined;
  const time = pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
  return time === undefined ? undefined : Temporal.Instant.from(time).epochMilliseconds;
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const atMs = availableAtMs(pod, minReadySeconds);
  return atMs !== undefined && atMs <= nowMs;
}

/** When a ready pod counts as available; undefined while it is not ready. */
function availableAtMs(pod: Pod, minReadySeconds: number): number | undefined {
  if (!isPodReady(pod)) return undefined;
  return minReadySeconds === 0 ? 0 : (readySinceMs(pod) ?? Infinity) + minReadySeconds * 1000;
}

/** When the next of the ready pods becomes available; undefined when none is about to. */
export function nextAvailableMs(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | undefined {
  const times = pods.map((pod) => availableAtMs(pod, minReadySeconds)).filter((atMs) => atMs !== undefined);
  const next = Math.min(...times.filter((atMs) => atMs > nowMs));
  return Number.isFinite(next) ? next : undefined;
}
