/** Health of any object, by kind; and of an Application, as the worst of its objects. */
import { splitApiVersion, type AnyObject, type HealthStatusCode } from "#api";
import { annotationOf } from "../object-key.ts";
import { rolloutHealth, runHealth } from "./delivery.ts";
import { health, isWorse, type Health } from "./health.ts";
import {
  apiServiceHealth,
  autoscalerHealth,
  claimHealth,
  crdHealth,
  ingressHealth,
  jobHealth,
  serviceHealth,
} from "./others.ts";
import { podHealth } from "./pod.ts";
import { daemonSetHealth, deploymentHealth, replicaSetHealth, statefulSetHealth } from "./workloads.ts";

/** A kind that is not here has no health: it neither helps nor hurts its Application. */
const checks: Readonly<Record<string, (object: AnyObject) => Health>> = {
  "/Pod": podHealth,
  "/PersistentVolumeClaim": claimHealth,
  "/Service": serviceHealth,
  "apps/Deployment": deploymentHealth,
  "apps/ReplicaSet": replicaSetHealth,
  "apps/StatefulSet": statefulSetHealth,
  "apps/DaemonSet": daemonSetHealth,
  "batch/Job": jobHealth,
  "networking.k8s.io/Ingress": ingressHealth,
  "autoscaling/HorizontalPodAutoscaler": autoscalerHealth,
  "apiregistration.k8s.io/APIService": apiServiceHealth,
  "apiextensions.k8s.io/CustomResourceDefinition": crdHealth,
  "argoproj.io/Rollout": rolloutHealth,
  "argoproj.io/AnalysisRun": runHealth,
  "argoproj.io/Experiment": runHealth,
};

export function resourceHealth(object: AnyObject): Health | undefined {
  if (object.metadata.deletionTimestamp !== undefined) return health("Progressing", "Pending deletion");
  const { group } = splitApiVersion(object.apiVersion);
  return checks[`${group}/${object.kind}`]?.(object);
}

export interface MemberHealth {
  readonly live: AnyObject | undefined;
  readonly health: Health | undefined;
  readonly hook: boolean;
}

/** The worst of the members that count; Missing only when every member is. No members at all is Healthy. */
export function applicationHealth(members: readonly MemberHealth[]): HealthStatusCode {
  const counting = members.filter((member) => !member.hook && !isExcused(member.live));
  if (counting.length > 0 && counting.every(({ live }) => live === undefined)) return "Missing";
  let worst: HealthStatusCode = "Healthy";
  for (const { live, health } of counting) {
    if (live !== undefined && health !== undefined && isWorse(health.status, worst)) worst = health.status;
  }
  return worst;
}

function isExcused(live: AnyObject | undefined): boolean {
  return annotationOf(live, "argocd.argoproj.io/ignore-healthcheck") === "true";
}
