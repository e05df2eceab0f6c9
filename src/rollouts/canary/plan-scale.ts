/** Brings ReplicaSets towards the counts. With a router, pods go only after every router has stopped sending to them. */
import { desiredReplicasAnnotation, type ReplicaSet } from "#api";
import { countsNow, event, isStableDesired, type Situation } from "./situation.ts";
import { isSplitSettled } from "./plan-traffic.ts";
import { rolloutLimits } from "./replica-counts.ts";
import { byAge, revisionOf, sizeOf } from "./revisions.ts";

/** Adds what is to be scaled; true when that was anything. */
export function planScale(situation: Situation): boolean {
  if (isHalted(situation)) return false;
  const { desired, stable } = situation.revisions;
  const counts = countsNow(situation);
  const scaledStable = stable !== undefined && !isStableDesired(situation) && scale(situation, stable, counts.stable);
  const scaledDesired = desired !== undefined && scale(situation, desired, counts.canary);
  if (scaledStable || scaledDesired) return true;
  return scaleDownOthers(situation);
}

/** Paused by hand or by an inconclusive analysis: then only a change of `spec.replicas` still scales. */
function isHalted({ rollout, draft, revisions, replicas }: Situation): boolean {
  const paused =
    rollout.spec.paused === true ||
    (draft.pauseConditions ?? []).some(({ reason }) => reason === "InconclusiveAnalysisRun");
  if (!paused) return false;
  const active = [revisions.desired, revisions.stable].filter((set) => set !== undefined && sizeOf(set).spec > 0);
  return active.every((set) => {
    const annotated = set?.metadata.annotations?.[desiredReplicasAnnotation];
    return annotated === undefined || Number(annotated) === replicas;
  });
}

function scale(situation: Situation, set: ReplicaSet, wanted: number): boolean {
  const from = sizeOf(set).spec;
  const replicas = wanted < from && !isSplitSettled(situation) ? from : wanted;
  const { replicas: desired } = situation;
  const annotated = Number(set.metadata.annotations?.[desiredReplicasAnnotation] ?? Number.NaN);
  if (replicas === from && annotated === desired) return false;
  const { name } = set.metadata;
  situation.actions.push({ kind: "scaleReplicaSet", name, replicas, desired });
  if (replicas === from) return false;
  const direction = replicas > from ? "up" : "down";
  const message = `Scaled ${direction} ReplicaSet ${name} (revision ${revisionOf(set)}) from ${from} to ${replicas}`;
  event(situation, "ScalingReplicaSet", message);
  return true;
}

/**
 * Abandoned revisions: pods that do not serve go at once, the others as far as enough stay available, newest revision
 * first.
 */
function scaleDownOthers(situation: Situation): boolean {
  const { revisions, rollout, replicas, observed } = situation;
  const active = revisions.others.filter((set) => sizeOf(set).spec > 0);
  if (active.length === 0 || !isSplitSettled(situation)) return false;
  const available = observed.replicaSets.reduce((sum, set) => sum + sizeOf(set).available, 0);
  let budget = available - (replicas - rolloutLimits(rollout).maxUnavailable);
  let scaled = false;
  for (const set of active.toSorted((a, b) => revisionOf(b) - revisionOf(a))) {
    const size = sizeOf(set);
    const healthy = Math.min(size.spec, size.available);
    const gone = Math.min(healthy, Math.max(0, budget));
    budget -= gone;
    if (scale(situation, set, healthy - gone)) scaled = true;
  }
  return scaled;
}

/** Removes the oldest revisions without pods beyond `revisionHistoryLimit`. */
export function planHistory(situation: Situation): void {
  const { revisions, rollout } = situation;
  const limit = rollout.spec.revisionHistoryLimit ?? 10;
  const kept = revisions.others.filter((set) => set.metadata.deletionTimestamp === undefined);
  for (const set of kept.toSorted(byAge).slice(0, Math.max(0, kept.length - limit))) {
    const observedLately = (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0);
    if (sizeOf(set).spec > 0 || (set.status?.replicas ?? 0) > 0 || !observedLately) continue;
    situation.actions.push({ kind: "deleteReplicaSet", name: set.metadata.name });
  }
}
