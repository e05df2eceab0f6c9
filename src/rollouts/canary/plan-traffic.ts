/** How requests are to be divided now. The split follows the pods that can serve, and leads the pods that are to go. */
import type { TrafficWeights } from "#api";
import type { RevisionWeight } from "../ports.ts";
import {
  atWantedCounts,
  canServeAll,
  countsNow,
  event,
  type Situation,
  skipsSteps,
  targetWeight,
} from "./situation.ts";
import { hashOf, sizeOf } from "./revisions.ts";
import { currentIndex, previousWeight } from "./steps.ts";
import type { Counts } from "./replica-counts.ts";

export interface WantedSplit {
  /** Percent for the desired revision; the stable one has the rest. */
  readonly canary: number;
  readonly canaryHash: string;
  readonly stableHash: string;
}

/**
 * The split that should hold, or undefined to leave it as it is: where there is no router, before the first revision
 * serves, and while no pod of either revision is available. A revision without available pods never gets a share.
 */
export function wantedSplit(situation: Situation): WantedSplit | undefined {
  const { observed, revisions } = situation;
  const { desired, stable } = revisions;
  if (observed.traffic.kind === "none" || !situation.draft.stableRS) return undefined;
  const stablePods = stable === undefined ? 0 : sizeOf(stable).available;
  const canaryPods = desired === undefined ? 0 : sizeOf(desired).available;
  const stableHash = situation.draft.stableRS;
  const canaryHash = desired === undefined ? revisions.hash : hashOf(desired);
  if (canaryHash === stableHash || canaryPods === 0) {
    return stablePods === 0 ? undefined : { canary: 0, canaryHash, stableHash };
  }
  if (stablePods === 0) return { canary: 100, canaryHash, stableHash };
  return { canary: situation.changed ? 0 : canaryShare(situation, canaryPods, stablePods), canaryHash, stableHash };
}

/**
 * Between two steps each revision gets what its pods are of all that will serve: 10 pods from 10 % to 50 % with four
 * canary pods available and six stable ones planned make 40 %. It never leaves the range between the two steps, and is
 * exact once the pods are there.
 */
function canaryShare(situation: Situation, canaryPods: number, stablePods: number): number {
  const { rollout, draft } = situation;
  if (draft.abort === true) return 0;
  const target = targetWeight(situation);
  const counts = countsNow(situation);
  if (counts.stable === 0) return 100;
  const last = skipsSteps(situation) || currentIndex(rollout, draft) === undefined;
  if ((last && canServeAll(situation)) || atWantedCounts(situation, counts)) return target;
  const previous = skipsSteps(situation) ? heldWeight(situation) : previousWeight(rollout, draft);
  const share = proportion(counts, canaryPods, stablePods);
  return Math.min(Math.max(share, Math.min(previous, target)), Math.max(previous, target));
}

/** The share the desired revision has now, as far as the status knows. */
function heldWeight({ before, revisions }: Situation): number {
  const canary = before.canary?.weights?.canary;
  return canary?.podTemplateHash === revisions.hash ? canary.weight : 0;
}

function proportion(counts: Counts, canaryPods: number, stablePods: number): number {
  const canary = Math.min(canaryPods, counts.canary);
  const stable = Math.min(stablePods, counts.stable);
  return canary + stable === 0 ? 0 : Math.round((100 * canary) / (canary + stable));
}

/** Only revisions with a share: the others get nothing anyway, and the split stays the same object while it says the same. */
export function revisionWeights(split: WantedSplit): readonly RevisionWeight[] {
  const both = [
    { podTemplateHash: split.canaryHash, weight: split.canary },
    { podTemplateHash: split.stableHash, weight: 100 - split.canary },
  ];
  return both.filter(({ weight }) => weight > 0);
}

export function sameWeights(a: readonly RevisionWeight[], b: readonly RevisionWeight[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((one) =>
    b.some((other) => other.podTemplateHash === one.podTemplateHash && other.weight === one.weight),
  );
}

/** Whether pods that lose their share may go: every router has the split, or there is nothing to wait for. */
export function isSplitSettled(situation: Situation): boolean {
  const { traffic } = situation.observed;
  return traffic.kind !== "set" || traffic.verified !== false;
}

/** Notes the split in the status, with an event when the canary's share changed. */
export function draftWeights(situation: Situation, split: WantedSplit | undefined): void {
  const { draft, before, observed } = situation;
  if (observed.traffic.kind === "none") {
    if (draft.canary !== undefined) delete draft.canary.weights;
    return;
  }
  if (split === undefined) return;
  const weights: TrafficWeights = {
    canary: { weight: split.canary, podTemplateHash: split.canaryHash },
    stable: { weight: 100 - split.canary, podTemplateHash: split.stableHash },
  };
  if (observed.traffic.kind === "set" && observed.traffic.verified !== undefined) {
    weights.verified = observed.traffic.verified;
  }
  draft.canary = { ...draft.canary, weights };
  const old = before.canary?.weights?.canary.weight;
  const now = weights.canary.weight;
  // After a promotion there is no canary: its 100 % have become the stable revision's.
  if (split.canaryHash === split.stableHash) return;
  if (old === undefined) event(situation, "TrafficWeightUpdated", `Traffic weight updated to ${now}`);
  else if (old !== now) event(situation, "TrafficWeightUpdated", `Traffic weight updated from ${old} to ${now}`);
}
