/** What the parts of a plan share: the observed world, sorted, and the status being drafted. */
import type { AnalysisRun, ReplicaSet, Rollout, RolloutStatus } from "#api";
import type { Action, ObservedRollout } from "./observed.ts";
import { canaryCounts, type Counts, rolloutLimits } from "./replica-counts.ts";
import { findRevisions, isWithinRollbackWindow, type Revisions, sizeOf } from "./revisions.ts";
import { stepsHash, wantedWeight } from "./steps.ts";

export interface Situation {
  readonly observed: ObservedRollout;
  readonly rollout: Rollout;
  readonly now: Temporal.Instant;
  readonly replicas: number;
  readonly revisions: Revisions;
  /** The status as it was. */
  readonly before: RolloutStatus;
  /** The status as it will be; parts of the plan change it. */
  readonly draft: RolloutStatus;
  readonly actions: Action[];
  /** Done after the status is written: what the status names first. */
  readonly later: Action[];
  /** Template or steps are not those of the status: the update starts over. */
  readonly changed: boolean;
  readonly withinWindow: boolean;
  /** Why this plan aborts the update. */
  abortMessage: string | undefined;
}

export function situationOf(observed: ObservedRollout): Situation {
  const { rollout } = observed;
  const revisions = findRevisions(rollout, observed.replicaSets);
  const before = rollout.status ?? {};
  return {
    observed,
    rollout,
    now: observed.now,
    replicas: rollout.spec.replicas ?? 1,
    revisions,
    before,
    draft: structuredClone(before),
    actions: [],
    later: [],
    changed: before.currentPodHash !== revisions.hash || before.currentStepHash !== stepsHash(rollout),
    withinWindow: isWithinRollbackWindow(rollout, revisions, observed.replicaSets),
    abortMessage: undefined,
  };
}

export function isFullyPromoted({ draft }: Situation): boolean {
  return draft.stableRS !== undefined && draft.stableRS === draft.currentPodHash;
}

/** Every step is skipped: promoted by hand, or going back to a revision that was already good. */
export function skipsSteps(situation: Situation): boolean {
  return situation.draft.promoteFull === true || situation.withinWindow;
}

export function isStableDesired({ revisions }: Situation): boolean {
  return revisions.desired !== undefined && revisions.desired === revisions.stable;
}

/** The share that is aimed at. Skipping the steps aims at all. */
export function targetWeight(situation: Situation): number {
  const { rollout, draft } = situation;
  if (draft.abort !== true && skipsSteps(situation)) return 100;
  return wantedWeight(rollout, draft, { isStable: isStableDesired(situation) });
}

/** The pods to ask for now. */
export function countsNow(situation: Situation): Counts {
  const { revisions, replicas, rollout } = situation;
  const { desired, stable, others } = revisions;
  return canaryCounts({
    replicas,
    weight: targetWeight(situation),
    ...rolloutLimits(rollout),
    canary: desired === undefined ? undefined : sizeOf(desired),
    stable: stable === undefined ? undefined : sizeOf(stable),
    sameSet: isStableDesired(situation),
    others: others.reduce((sum, set) => sum + sizeOf(set).spec, 0),
  });
}

/** Enough pods of `set` for `wanted`: all of them, or as many as replicaProgressThreshold says. */
function enoughAvailable(rollout: Rollout, set: ReplicaSet, wanted: number): boolean {
  const threshold = rollout.spec.strategy.canary?.replicaProgressThreshold;
  const { spec, available } = sizeOf(set);
  if (threshold === undefined) return spec === wanted && available === wanted;
  if (threshold.type === "Pods") return available >= threshold.value;
  return wanted === 0 || (available * 100) / wanted >= threshold.value - 1e-10;
}

/** The counts for the target are there: canary pods available, stable ones made, nobody else serving. */
export function atWantedCounts(situation: Situation, counts: Counts): boolean {
  const { rollout, revisions } = situation;
  const { desired, stable, others } = revisions;
  if (desired === undefined || !enoughAvailable(rollout, desired, counts.canary)) return false;
  if (stable === undefined) return false;
  const made = stable.status?.replicas ?? 0;
  if (stable !== desired && (sizeOf(stable).spec !== counts.stable || made !== counts.stable)) return false;
  return others.every((set) => sizeOf(set).available === 0);
}

/** The desired revision could serve everything. */
export function canServeAll({ rollout, revisions, replicas }: Situation): boolean {
  const { desired } = revisions;
  if (desired === undefined) return false;
  return sizeOf(desired).available >= replicas || enoughAvailable(rollout, desired, replicas);
}

export function findRun(situation: Situation, name: string | undefined): AnalysisRun | undefined {
  return situation.observed.analysisRuns.find((run) => run.metadata.name === name);
}

export function event(
  situation: Situation,
  reason: string,
  message: string,
  type: "Normal" | "Warning" = "Normal",
): void {
  situation.actions.push({ kind: "recordEvent", type, reason, message });
}
