/** What a ReplicaSet needs done: pure. */
import { type Condition, controllerOf, isPodReady, type Pod, type ReplicaSet } from "#api";
import { setCondition } from "#controller";
import { isActive, isAvailable, nextAvailableMs } from "../pod-state.ts";
import { claim } from "../pods/claim.ts";
import { rankForDeletion } from "./rank-pods.ts";

export interface ReplicaSetObserved {
  readonly replicaSet: ReplicaSet;
  /** Of the namespace, those it owns or might adopt; with what we wrote and the cache has not yet. */
  readonly pods: readonly Pod[];
  readonly nowMs: number;
}

export type ReplicaSetAction =
  | { readonly kind: "adopt"; readonly pod: Pod }
  | { readonly kind: "release"; readonly pod: Pod }
  | { readonly kind: "create"; readonly count: number }
  | { readonly kind: "delete"; readonly pods: readonly Pod[] };

export interface ReplicaSetPlan {
  readonly actions: readonly ReplicaSetAction[];
  readonly status: NonNullable<ReplicaSet["status"]>;
  /** When a ready pod becomes available. */
  readonly wakeAtMs: number | undefined;
}

/** Most pods made or removed at once; upstream's burst. */
const burst = 500;

export function planReplicaSet(observed: ReplicaSetObserved): ReplicaSetPlan {
  const { replicaSet, nowMs } = observed;
  const ending = replicaSet.metadata.deletionTimestamp !== undefined;
  // Ended pods that nobody owns are nobody's concern.
  const candidates = observed.pods.filter((pod) => controllerOf(pod) !== undefined || isActive(pod));
  const claims = claim(replicaSet, replicaSet.spec.selector, candidates);
  const active = claims.owned.filter(isActive);
  const difference = active.length - (replicaSet.spec.replicas ?? 1);
  const actions: ReplicaSetAction[] = [
    ...claims.adopt.map((pod) => ({ kind: "adopt" as const, pod })),
    ...claims.release.map((pod) => ({ kind: "release" as const, pod })),
  ];
  if (!ending && difference < 0) actions.push({ kind: "create", count: Math.min(-difference, burst) });
  if (!ending && difference > 0) {
    actions.push({ kind: "delete", pods: rankForDeletion(active, nowMs).slice(0, Math.min(difference, burst)) });
  }
  return {
    actions,
    status: statusOf(replicaSet, active, nowMs),
    wakeAtMs: nextAvailableMs(active, replicaSet.spec.minReadySeconds ?? 0, nowMs),
  };
}

function statusOf(replicaSet: ReplicaSet, active: readonly Pod[], nowMs: number): NonNullable<ReplicaSet["status"]> {
  const minReadySeconds = replicaSet.spec.minReadySeconds ?? 0;
  const wanted = Object.entries(replicaSet.spec.template.metadata?.labels ?? {});
  const labelled = active.filter((pod) => wanted.every(([key, value]) => pod.metadata.labels?.[key] === value));
  const ready = active.filter(isPodReady);
  const available = ready.filter((pod) => isAvailable(pod, minReadySeconds, nowMs));
  const { conditions } = replicaSet.status ?? {};
  return {
    replicas: active.length,
    ...(labelled.length === 0 ? {} : { fullyLabeledReplicas: labelled.length }),
    ...(ready.length === 0 ? {} : { readyReplicas: ready.length }),
    ...(available.length === 0 ? {} : { availableReplicas: available.length }),
    observedGeneration: replicaSet.metadata.generation ?? 0,
    ...(conditions === undefined ? {} : { conditions }),
  };
}

/** The status with a ReplicaFailure condition set or cleared. */
export function withFailure(
  status: NonNullable<ReplicaSet["status"]>,
  failure: { readonly reason: "FailedCreate" | "FailedDelete"; readonly message: string } | undefined,
  now: Temporal.Instant,
): NonNullable<ReplicaSet["status"]> {
  const known: readonly Condition[] = status.conditions ?? [];
  const { conditions: _, ...rest } = status;
  if (failure === undefined) {
    const others = known.filter(({ type }) => type !== "ReplicaFailure");
    return others.length === 0 ? rest : { ...rest, conditions: others };
  }
  return { ...rest, conditions: setCondition(known, { type: "ReplicaFailure", status: "True", ...failure }, now) };
}
