/** Health of jobs, storage, networking and autoscaling kinds. */
import type { AnyObject } from "#api";
import { conditionOf, health, listAt, mapAt, textAt, type Health } from "./health.ts";

export function jobHealth(object: AnyObject): Health {
  const failed = conditionOf(object, "Failed");
  if (failed !== undefined) return health("Degraded", textAt(failed, "message") || textAt(failed, "reason"));
  const complete = conditionOf(object, "Complete");
  if (complete !== undefined) return health("Healthy", textAt(complete, "message"));
  if (conditionOf(object, "Suspended") !== undefined) return health("Suspended", "Job is suspended");
  return health("Progressing");
}

export function claimHealth(object: AnyObject): Health {
  const phase = mapAt(object, "status")["phase"];
  if (phase === "Bound") return health("Healthy");
  return phase === "Lost" ? health("Degraded", "The volume is lost") : health("Progressing");
}

export function serviceHealth(object: AnyObject): Health {
  if (mapAt(object, "spec")["type"] !== "LoadBalancer") return health("Healthy");
  return listAt(object, "status", "loadBalancer", "ingress").length > 0
    ? health("Healthy")
    : health("Progressing", "Waiting for a load balancer");
}

export function ingressHealth(object: AnyObject): Health {
  return listAt(object, "status", "loadBalancer", "ingress").length > 0
    ? health("Healthy")
    : health("Progressing", "Waiting for an address");
}

export function autoscalerHealth(object: AnyObject): Health {
  const failing = ["AbleToScale", "ScalingActive"].map((type) => conditionOf(object, type, "False"));
  const problem = failing.find((entry) => entry !== undefined && textAt(entry, "reason") !== "ScalingDisabled");
  if (problem !== undefined) return health("Degraded", textAt(problem, "message"));
  return conditionOf(object, "AbleToScale") === undefined ? health("Progressing") : health("Healthy");
}

export function apiServiceHealth(object: AnyObject): Health {
  const available = conditionOf(object, "Available");
  return available === undefined ? health("Progressing") : health("Healthy", textAt(available, "message"));
}

export function crdHealth(object: AnyObject): Health {
  if (conditionOf(object, "NamesAccepted", "False") !== undefined)
    return health("Degraded", "The names are not accepted");
  return conditionOf(object, "Established") === undefined ? health("Progressing") : health("Healthy");
}
