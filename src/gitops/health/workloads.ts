/** Health of the kinds that keep pods running. */
import type { AnyObject } from "#api";
import { conditionOf, health, isUnobserved, mapAt, numberAt, textAt, type Health } from "./health.ts";

export function deploymentHealth(object: AnyObject): Health {
  const spec = mapAt(object, "spec");
  const status = mapAt(object, "status");
  if (spec["paused"] === true) return health("Suspended", "Deployment is paused");
  if (isUnobserved(object)) return health("Progressing", "Waiting for the newest spec to be observed");
  const progressing = conditionOf(object, "Progressing", "False");
  if (textAt(progressing, "reason") === "ProgressDeadlineExceeded") {
    return health("Degraded", `Deployment "${object.metadata.name}" exceeded its progress deadline`);
  }
  const wanted = numberAt(spec, "replicas", 1);
  const updated = numberAt(status, "updatedReplicas");
  if (updated < wanted) return health("Progressing", `${updated} of ${wanted} new replicas have been updated`);
  const old = numberAt(status, "replicas") - updated;
  if (old > 0) return health("Progressing", `${old} old replicas are pending termination`);
  const available = numberAt(status, "availableReplicas");
  if (available < updated) return health("Progressing", `${available} of ${updated} updated replicas are available`);
  return health("Healthy");
}

export function replicaSetHealth(object: AnyObject): Health {
  if (isUnobserved(object)) return health("Progressing", "Waiting for the newest spec to be observed");
  const failure = conditionOf(object, "ReplicaFailure");
  if (failure !== undefined) return health("Degraded", textAt(failure, "message"));
  const wanted = numberAt(object["spec"], "replicas", 1);
  const available = numberAt(object["status"], "availableReplicas");
  if (available < wanted) return health("Progressing", `${available} of ${wanted} replicas are available`);
  return health("Healthy");
}

export function statefulSetHealth(object: AnyObject): Health {
  const spec = mapAt(object, "spec");
  const status = mapAt(object, "status");
  if (isUnobserved(object)) return health("Progressing", "Waiting for the newest spec to be observed");
  const wanted = numberAt(spec, "replicas", 1);
  const ready = numberAt(status, "readyReplicas");
  if (ready < wanted) return health("Progressing", `${ready} of ${wanted} pods are ready`);
  const strategy = mapAt(spec, "updateStrategy");
  if (strategy["type"] === "OnDelete") return health("Healthy", `${ready} pods ready; the rest updates when deleted`);
  const partition = numberAt(strategy["rollingUpdate"], "partition");
  if (partition > 0) {
    const updated = numberAt(status, "updatedReplicas");
    if (updated < wanted - partition) {
      return health("Progressing", `${updated} of ${wanted - partition} pods beyond the partition have been updated`);
    }
    return health("Healthy", `Partitioned update complete: ${updated} pods have been updated`);
  }
  if (status["updateRevision"] !== status["currentRevision"]) {
    return health("Progressing", `${numberAt(status, "updatedReplicas")} pods are at the new revision`);
  }
  return health("Healthy", `${numberAt(status, "currentReplicas")} pods at the current revision`);
}

export function daemonSetHealth(object: AnyObject): Health {
  const status = mapAt(object, "status");
  if (isUnobserved(object)) return health("Progressing", "Waiting for the newest spec to be observed");
  if (mapAt(object, "spec", "updateStrategy")["type"] === "OnDelete") return health("Healthy");
  const wanted = numberAt(status, "desiredNumberScheduled");
  const updated = numberAt(status, "updatedNumberScheduled");
  if (updated < wanted) return health("Progressing", `${updated} of ${wanted} pods have been updated`);
  const available = numberAt(status, "numberAvailable");
  if (available < wanted) return health("Progressing", `${available} of ${wanted} updated pods are available`);
  return health("Healthy");
}
