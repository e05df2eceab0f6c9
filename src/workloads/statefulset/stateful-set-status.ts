/** Status of a StatefulSet: pure. `kubectl rollout status` reads it. */
import { isPodReady, type Pod, type StatefulSet } from "#api";
import { isAvailable } from "../pod-state.ts";
import { revisionHashLabel } from "../revisions/plan-revisions.ts";
import type { PodRevision } from "./identity.ts";

export type StatefulSetStatus = NonNullable<StatefulSet["status"]>;

export interface StatusInput {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly current: PodRevision;
  readonly update: PodRevision;
  readonly collisionCount: number | undefined;
  readonly nowMs: number;
}

export function statefulSetStatus({
  set,
  pods,
  current,
  update,
  collisionCount,
  nowMs,
}: StatusInput): StatefulSetStatus {
  const running = pods.filter((pod) => pod.status?.phase === "Running" && isPodReady(pod));
  const available = running.filter((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)).length;
  const staying = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const ofRevision = (name: string): number =>
    staying.filter(({ metadata }) => metadata.labels?.[revisionHashLabel] === name).length;
  const wanted = set.spec.replicas ?? 1;
  const updated = ofRevision(update.name);
  const rolling = set.spec.updateStrategy?.type !== "OnDelete";
  const complete = rolling && updated === wanted && running.length === wanted && pods.length === wanted;
  const currentReplicas = complete ? updated : ofRevision(current.name);
  const conditions = set.status?.conditions;
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    ...(running.length === 0 ? {} : { readyReplicas: running.length }),
    ...(currentReplicas === 0 ? {} : { currentReplicas }),
    ...(updated === 0 ? {} : { updatedReplicas: updated }),
    currentRevision: complete ? update.name : current.name,
    updateRevision: update.name,
    collisionCount: collisionCount ?? 0,
    availableReplicas: available,
    ...(conditions === undefined ? {} : { conditions }),
  };
}
