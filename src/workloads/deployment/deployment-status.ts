/** Status and conditions of a Deployment, in upstream's words: pure. `kubectl rollout status` reads them. */
import type { Condition, Deployment, ReplicaSet } from "#api";
import { findCondition } from "#controller";
import { toTimestamp } from "#lib";
import { boundsOf } from "./bounds.ts";

export type DeploymentStatus = NonNullable<Deployment["status"]>;

export interface StatusInput {
  readonly deployment: Deployment;
  readonly fresh: ReplicaSet | undefined;
  readonly all: readonly ReplicaSet[];
  /** What the plan just did, if anything that counts as progress by itself. */
  readonly created: boolean;
  readonly now: Temporal.Instant;
}

export function deploymentStatus(input: StatusInput): DeploymentStatus {
  const { deployment, fresh, all } = input;
  const old = deployment.status;
  const counts = countsOf(all, fresh);
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: counts.replicas,
    updatedReplicas: counts.updated,
    readyReplicas: counts.ready,
    availableReplicas: counts.available,
    unavailableReplicas: Math.max(0, counts.replicas - counts.available),
    ...(old?.collisionCount === undefined ? {} : { collisionCount: old.collisionCount }),
  };
  // Zeros are left out, as upstream's `omitempty` does.
  for (const key of [
    "replicas",
    "updatedReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
  ] as const) {
    if (status[key] === 0) delete status[key];
  }
  return { ...status, conditions: conditionsOf(input, status) };
}

function countsOf(
  all: readonly ReplicaSet[],
  fresh: ReplicaSet | undefined,
): Record<"replicas" | "updated" | "ready" | "available", number> {
  const sum = (field: "replicas" | "readyReplicas" | "availableReplicas"): number =>
    all.reduce((total, set) => total + (set.status?.[field] ?? 0), 0);
  return {
    replicas: sum("replicas"),
    updated: fresh?.status?.replicas ?? 0,
    ready: sum("readyReplicas"),
    available: sum("availableReplicas"),
  };
}

function conditionsOf(input: StatusInput, status: DeploymentStatus): Condition[] {
  const { deployment, all, fresh } = input;
  const { replicas, maxUnavailable } = boundsOf(deployment);
  const enough = (status.availableReplicas ?? 0) >= replicas - maxUnavailable;
  const available = enough
    ? condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    : condition("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.");
  const progressing = progressOf(input, status);
  const failure = [...(fresh === undefined ? [] : [fresh]), ...all]
    .map((set) => findCondition(set.status?.conditions, "ReplicaFailure"))
    .find((found) => found !== undefined);
  const wanted = [progressing, available, failure].filter((found) => found !== undefined);
  return wanted.map((next) => dated(next, deployment, next === progressing && madeProgress(input, status), input.now));
}

function condition(type: string, status: Condition["status"], reason: string, message: string): Condition {
  return { type, status, reason, message };
}

/** `lastUpdateTime` also moves when progress was made: the deadline counts from there. */
function dated(next: Condition, deployment: Deployment, touched: boolean, now: Temporal.Instant): Condition {
  const old = findCondition(deployment.status?.conditions, next.type);
  const time = toTimestamp(now);
  const same = old?.status === next.status && old.reason === next.reason && old.message === next.message;
  const lastTransitionTime = old?.status === next.status ? (old.lastTransitionTime ?? time) : time;
  const lastUpdateTime = same && !touched ? (old.lastUpdateTime ?? time) : time;
  const { type, status, reason = "", message = "" } = next;
  return { type, status, lastUpdateTime, lastTransitionTime, reason, message };
}

function progressOf(input: StatusInput, status: DeploymentStatus): Condition | undefined {
  const { deployment, fresh, created } = input;
  const old = findCondition(deployment.status?.conditions, "Progressing");
  if (deployment.spec.progressDeadlineSeconds === undefined) return undefined;
  if (deployment.spec.paused === true) {
    return old?.reason === "ProgressDeadlineExceeded"
      ? old
      : condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused");
  }
  const what = fresh === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${fresh.metadata.name}"`;
  if (created)
    return condition(
      "Progressing",
      "True",
      "NewReplicaSetCreated",
      `Created new replica set "${fresh?.metadata.name}"`,
    );
  // A finished rollout stays finished: pods that fail later are the Available condition's matter.
  const finished = old?.reason === "NewReplicaSetAvailable" && (status.replicas ?? 0) === (status.updatedReplicas ?? 0);
  if (finished) return old;
  if (isComplete(deployment, status)) {
    return condition("Progressing", "True", "NewReplicaSetAvailable", `${what} has successfully progressed.`);
  }
  if (madeProgress(input, status))
    return condition("Progressing", "True", "ReplicaSetUpdated", `${what} is progressing.`);
  if (timedOut(deployment, input.now)) {
    return condition("Progressing", "False", "ProgressDeadlineExceeded", `${what} has timed out progressing.`);
  }
  if (old?.reason === "DeploymentPaused")
    return condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed");
  return (
    old ??
    condition("Progressing", "True", "FoundNewReplicaSet", `Found new replica set "${fresh?.metadata.name ?? ""}"`)
  );
}

export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus): boolean {
  const replicas = spec.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

function madeProgress({ deployment, created }: StatusInput, status: DeploymentStatus): boolean {
  const old = deployment.status ?? {};
  const oldOnes = (counts: DeploymentStatus): number => (counts.replicas ?? 0) - (counts.updatedReplicas ?? 0);
  return (
    created ||
    (status.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    oldOnes(status) < oldOnes(old) ||
    (status.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  );
}

function timedOut(deployment: Deployment, now: Temporal.Instant): boolean {
  const atMs = deadlineAtMs(deployment.status, deployment.spec.progressDeadlineSeconds);
  if (findCondition(deployment.status?.conditions, "Progressing")?.reason === "ProgressDeadlineExceeded") return true;
  return atMs !== undefined && now.epochMilliseconds >= atMs;
}

/** When the rollout counts as stuck if nothing moves; undefined when no deadline runs. */
export function deadlineAtMs(status: DeploymentStatus | undefined, seconds: number | undefined): number | undefined {
  const progressing = findCondition(status?.conditions, "Progressing");
  if (progressing?.lastUpdateTime === undefined || seconds === undefined) return undefined;
  const reason = progressing.reason ?? "";
  if (["NewReplicaSetAvailable", "ProgressDeadlineExceeded", "DeploymentPaused"].includes(reason)) return undefined;
  return Temporal.Instant.from(progressing.lastUpdateTime).epochMilliseconds + seconds * 1000;
}
