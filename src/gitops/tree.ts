/** An Application as a tree: its objects, and what those own (ReplicaSets, Pods, AnalysisRuns …). Pure. */
import { splitApiVersion, type AnyObject, type ResourceNode } from "#api";
import type { ComparedObject } from "./compare.ts";
import { listAt, mapAt, numberAt, textAt, type Health } from "./health/health.ts";
import { resourceHealth } from "./health/resource-health.ts";
import { annotationOf, keyOfObject, keyText } from "./object-key.ts";

/** Owners come before what they own. @param childrenOf objects that name the uid as owner */
export function resourceTree(
  objects: readonly ComparedObject[],
  childrenOf: (uid: string) => readonly AnyObject[],
): ResourceNode[] {
  const nodes: ResourceNode[] = [];
  const seen = new Set<string>();
  const add = (object: AnyObject, extra: Pick<ResourceNode, "sync" | "parentUid">): void => {
    const uid = object.metadata.uid ?? "";
    // An object may be both managed and owned; it stands where it was met first.
    if (uid === "" || seen.has(uid)) return;
    seen.add(uid);
    nodes.push(nodeOf(object, uid, resourceHealth(object), extra));
    for (const child of childrenOf(uid)) add(child, { parentUid: uid });
  };
  for (const { live, target, status } of objects) {
    if (live !== undefined) add(live, { sync: status });
    else if (target !== undefined) {
      const uid = `missing:${keyText(keyOfObject(target))}`;
      nodes.push(nodeOf(target, uid, { status: "Missing" }, { sync: status }));
    }
  }
  return nodes;
}

function nodeOf(
  object: AnyObject,
  uid: string,
  health: Health | undefined,
  extra: Pick<ResourceNode, "sync" | "parentUid">,
): ResourceNode {
  const { group, version } = splitApiVersion(object.apiVersion);
  const { name, namespace = "", creationTimestamp } = object.metadata;
  return {
    uid,
    group,
    version,
    kind: object.kind,
    namespace,
    name,
    ...(creationTimestamp === undefined ? {} : { createdAt: creationTimestamp }),
    ...extra,
    ...(health === undefined ? {} : { health: health.status }),
    ...(health?.message === undefined ? {} : { healthMessage: health.message }),
    info: factsOf(object),
  };
}

function factsOf(object: AnyObject): string[] {
  const status = mapAt(object, "status");
  const facts: string[] = [];
  if (object.kind === "Pod") {
    const containers = listAt(status, "containerStatuses");
    const ready = containers.filter((container) => container["ready"] === true).length;
    facts.push(textAt(status, "phase") || "Pending", `ready ${ready}/${listAt(object, "spec", "containers").length}`);
  } else if (mapAt(object, "spec")["replicas"] !== undefined) {
    facts.push(`ready ${numberAt(status, "readyReplicas")}/${numberAt(object["spec"], "replicas")}`);
  }
  const revision =
    annotationOf(object, "rollout.argoproj.io/revision") ?? annotationOf(object, "deployment.kubernetes.io/revision");
  if (revision !== undefined) facts.push(`revision ${revision}`);
  if (object.kind === "Rollout" || object.kind === "AnalysisRun") facts.push(textAt(status, "phase") || "Pending");
  return facts;
}
