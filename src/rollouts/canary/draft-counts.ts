import type { LabelSelector, ReplicaSet } from "#api";
import type { Situation } from "./situation.ts";
import { stepsHash } from "./steps.ts";

/** The observed numbers and hashes of the status. */
export function draftCounts(situation: Situation): void {
  const { draft, observed, revisions, rollout } = situation;
  const sets = observed.replicaSets;
  draft.currentPodHash = revisions.hash;
  draft.currentStepHash = stepsHash(rollout);
  draft.replicas = sum(sets, "replicas");
  draft.updatedReplicas = revisions.desired?.status?.replicas ?? 0;
  draft.readyReplicas = sum(sets, "readyReplicas");
  draft.availableReplicas = sum(sets, "availableReplicas");
  draft.HPAReplicas = draft.replicas;
  draft.selector = selectorText(rollout.spec.selector);
  draft.observedGeneration = String(rollout.metadata.generation ?? 0);
  if (revisions.collisionCount > 0) draft.collisionCount = revisions.collisionCount;
  if (draft.promoteFull === true && draft.stableRS === draft.currentPodHash) delete draft.promoteFull;
}

function sum(sets: readonly ReplicaSet[], field: "replicas" | "readyReplicas" | "availableReplicas"): number {
  return sets.reduce((total, set) => total + (set.status?.[field] ?? 0), 0);
}

/** The selector as the scale subresource and kubectl write it: `app=web,tier in (a,b)`. */
function selectorText(selector: LabelSelector): string {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === "Exists") return key;
    if (operator === "DoesNotExist") return `!${key}`;
    return `${key} ${operator === "In" ? "in" : "notin"} (${values.toSorted().join(",")})`;
  });
  return [...labels, ...expressions].toSorted().join(",");
}
