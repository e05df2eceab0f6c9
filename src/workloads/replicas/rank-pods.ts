/** Which pods of a ReplicaSet go first when there are too many: pure, upstream's order. */
import type { Pod } from "#api";
import { isPodReady } from "#api";
import { readySinceMs } from "../pod-state.ts";

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";

/**
 * The pods, first to delete first: unassigned before assigned, pending before running, unready before ready, cheaper
 * before dearer, ready for a shorter before ready for a longer time, more restarts before fewer, younger before older.
 */
export function rankForDeletion(pods: readonly Pod[], nowMs: number): Pod[] {
  return pods.toSorted((a, b) => {
    for (const [left, right] of keysOf(a, nowMs).map((key, index) => [key, keysOf(b, nowMs)[index] ?? 0] as const)) {
      if (left !== right) return left - right;
    }
    return a.metadata.name < b.metadata.name ? -1 : 1;
  });
}

/** Compared in turn; smaller goes first. */
function keysOf(pod: Pod, nowMs: number): number[] {
  const readySince = readySinceMs(pod);
  const restarts = Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
  return [
    (pod.spec.nodeName ?? "") === "" ? 0 : 1,
    phaseRank[pod.status?.phase ?? "Pending"] ?? 1,
    isPodReady(pod) ? 1 : 0,
    Number(pod.metadata.annotations?.[costAnnotation] ?? 0) || 0,
    // Times within one power of two are as good as equal, so that the choice among old pods does not always hit the same.
    readySince === undefined ? 0 : ageBucket(nowMs - readySince),
    -restarts,
    pod.metadata.creationTimestamp === undefined
      ? -Infinity
      : -Temporal.Instant.from(pod.metadata.creationTimestamp).epochMilliseconds,
  ];
}

function ageBucket(ms: number): number {
  return ms <= 1000 ? 0 : Math.floor(Math.log2(ms / 1000)) + 1;
}
