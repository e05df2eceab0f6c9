/** A pod's status as the node writes it, leaving what others say of the pod alone: pure. */
import type { Pod, PodStatus } from "#api";

const own: ReadonlySet<string> = new Set([
  "PodReadyToStartContainers",
  "Initialized",
  "Ready",
  "ContainersReady",
  "PodScheduled",
]);

/** The pod with the node's last word on it, which may be newer than the cache, and everybody else's as cached. */
export function withOwnStatus(pod: Pod, written: PodStatus | undefined): Pod {
  if (written === undefined) return pod;
  const ours = (written.conditions ?? []).filter(({ type }) => own.has(type));
  const others = (pod.status?.conditions ?? []).filter(({ type }) => !own.has(type));
  return { ...pod, status: { ...pod.status, ...written, conditions: [...ours, ...others] } };
}

/**
 * As a strategic merge patch: conditions go by type, so those of others stay; addresses replace the ones before, which
 * that patch would otherwise add to.
 */
export function statusPatch(status: PodStatus): Record<string, unknown> {
  const { conditions = [], podIPs, hostIPs, ...rest } = status;
  return {
    ...rest,
    conditions: conditions.filter(({ type }) => own.has(type)).map(complete),
    ...(podIPs === undefined ? {} : { podIPs: [...podIPs, { $patch: "replace" }] }),
    ...(hostIPs === undefined ? {} : { hostIPs: [...hostIPs, { $patch: "replace" }] }),
  };
}

/** What a condition had and has no more must be taken away by name. */
function complete(condition: NonNullable<PodStatus["conditions"]>[number]): Record<string, unknown> {
  return { reason: null, message: null, ...condition };
}
