/** Pauses, steps, promotion and abort: what moves a rollout on. */
import { parseSecondsOrDuration, msBetween } from "#lib";
import { after, isPast, preciseTime } from "../timestamps.ts";
import { isInconclusive, stepIndexLabel } from "./plan-analysis.ts";
import { isSplitSettled, type WantedSplit } from "./plan-traffic.ts";
import {
  atWantedCounts,
  canServeAll,
  countsNow,
  event,
  findRun,
  isStableDesired,
  type Situation,
  skipsSteps,
  targetWeight,
} from "./situation.ts";
import { currentIndex, currentStep, stepsOf, stepText } from "./steps.ts";

/** What a person or a rollback asked for comes before everything else: skipping the steps also ends an abort. */
export function applySkips(situation: Situation): void {
  const { draft, rollout } = situation;
  if (situation.changed || !skipsSteps(situation)) return;
  delete draft.abort;
  delete draft.pauseConditions;
  const steps = stepsOf(rollout).length;
  if (steps > 0) draft.currentStepIndex = steps;
}

/** Enters a pause step once its pods have come to rest. */
export function planPause(situation: Situation, scaled: boolean): void {
  const { rollout, draft, before, now, actions } = situation;
  const pause = currentStep(rollout, draft)?.pause;
  if (scaled || pause === undefined || rollout.spec.paused === true || draft.abort === true || !draft.stableRS) return;
  const known = (draft.pauseConditions ?? []).find(({ reason }) => reason === "CanaryPauseStep");
  if (known === undefined && before.controllerPause === true) return;
  const startTime = known?.startTime ?? preciseTime(now);
  if (known === undefined) {
    draft.pauseConditions = [...(draft.pauseConditions ?? []), { reason: "CanaryPauseStep", startTime }];
    draft.controllerPause = true;
  }
  const end = pauseEnd(startTime, pause.duration);
  if (end === undefined) return;
  actions.push({ kind: "requeueAfter", ms: Math.max(1, msBetween(now, end) + 1), reason: "pause step" });
}

function pauseEnd(startTime: string, duration: number | string | undefined): Temporal.Instant | undefined {
  if (duration === undefined || duration === null) return undefined;
  return after(startTime, parseSecondsOrDuration(duration) ?? 0);
}

/** Promotes, notes the abort, or completes the current step. */
export function planProgress(situation: Situation, split: WantedSplit | undefined, scaled: boolean): void {
  const { draft, rollout, revisions, now, before } = situation;
  const steps = stepsOf(rollout);
  const reason = promotionReason(situation, split);
  if (reason !== undefined) {
    promote(situation, reason);
    return;
  }
  if (draft.abort === true) {
    draft.abortedAt = before.abortedAt ?? preciseTime(now);
    delete draft.pauseConditions;
    if (steps.length > 0) draft.currentStepIndex = draft.stableRS === revisions.hash ? steps.length : 0;
    return;
  }
  const step = currentStep(rollout, draft);
  if (scaled || step === undefined || !isCompleted(situation, split)) return;
  const index = (currentIndex(rollout, draft) ?? 0) + 1;
  draft.currentStepIndex = index;
  if (draft.canary !== undefined) delete draft.canary.currentStepAnalysisRunStatus;
  draft.pauseConditions = (draft.pauseConditions ?? []).filter((pause) => pause.reason !== "CanaryPauseStep");
  event(situation, "RolloutStepCompleted", `Rollout step ${index}/${steps.length} completed (${stepText(step)})`);
}

function promotionReason(situation: Situation, split: WantedSplit | undefined): string | undefined {
  const { draft, rollout, revisions, withinWindow } = situation;
  if (revisions.desired === undefined) return undefined;
  // Upstream calls the first revision stable at once. One that never served is no place to return to: a first release
  // that cannot start would hold its own mending back, so it becomes stable when it is there, and what replaces it
  // before is an initial deploy again.
  if (revisions.stable === undefined) return canServeAll(situation) ? "Initial deploy" : undefined;
  if (draft.abort === true || !canServeAll(situation)) return undefined;
  // Promoted means that everything goes to it, on every router.
  const all = split === undefined || split.canary === 100 || split.canaryHash === split.stableHash;
  if (!all || !isSplitSettled(situation)) return undefined;
  if (draft.promoteFull === true) return "Full promotion requested";
  if (withinWindow) return "Rollback within window";
  if (isStableDesired(situation)) return "Fast rollback";
  return currentStep(rollout, draft) === undefined
    ? `Completed all ${stepsOf(rollout).length} canary steps`
    : undefined;
}

function promote(situation: Situation, reason: string): void {
  const { draft, rollout, revisions } = situation;
  const steps = stepsOf(rollout).length;
  delete draft.abort;
  delete draft.promoteFull;
  delete draft.pauseConditions;
  if (steps > 0) draft.currentStepIndex = steps;
  else delete draft.currentStepIndex;
  if (draft.stableRS === revisions.hash) return;
  draft.stableRS = revisions.hash;
  const message = `Rollout completed update to revision ${revisions.number} (${revisions.hash}): ${reason}`;
  event(situation, "RolloutCompleted", message);
}

function isCompleted(situation: Situation, split: WantedSplit | undefined): boolean {
  const { rollout, draft, before, now } = situation;
  const step = currentStep(rollout, draft);
  if (rollout.spec.paused === true || step === undefined || isInconclusive(situation)) return false;
  if (step.pause !== undefined) {
    const pauses = before.pauseConditions ?? [];
    // Whoever resumes takes the condition away; that the controller had paused tells this from not having paused yet.
    if (before.controllerPause === true && pauses.length === 0) return true;
    const start = pauses.find(({ reason }) => reason === "CanaryPauseStep")?.startTime;
    const end = start === undefined ? undefined : pauseEnd(start, step.pause.duration);
    return end !== undefined && isPast(end, now);
  }
  if (step.setWeight !== undefined) {
    const counts = countsNow(situation);
    // One pod without surge cannot be split: below 50 % the canary gets no pod and no share, from 50 % on it has all.
    const isWhole = counts.canary === 0 || counts.stable === 0;
    const isSplit = split === undefined || isWhole || split.canary === targetWeight(situation);
    return isSplit && isSplitSettled(situation) && atWantedCounts(situation, counts);
  }
  const run = findRun(situation, draft.canary?.currentStepAnalysisRunStatus?.name);
  const ofStep = run?.metadata.labels?.[stepIndexLabel] === String(currentIndex(rollout, draft));
  return ofStep && run?.status?.phase === "Successful";
}

/** A new template or new steps: everything of the former update is forgotten. */
export function restartUpdate(situation: Situation): void {
  const { draft, rollout, revisions, withinWindow } = situation;
  const steps = stepsOf(rollout).length;
  for (const field of ["pauseConditions", "controllerPause", "abort", "abortedAt", "promoteFull"] as const) {
    delete draft[field];
  }
  if (draft.canary !== undefined) {
    delete draft.canary.currentStepAnalysisRunStatus;
    delete draft.canary.currentBackgroundAnalysisRunStatus;
  }
  if (rollout.spec.restartAt !== undefined) draft.restartedAt = rollout.spec.restartAt;
  if (steps === 0) delete draft.currentStepIndex;
  else draft.currentStepIndex = 0;
  if (revisions.desired === undefined || steps === 0) return;
  const toStable = draft.stableRS === revisions.hash;
  const active = (revisions.desired.spec.replicas ?? 0) > 0;
  if (!toStable && !(withinWindow && active)) return;
  draft.currentStepIndex = steps;
  const message = toStable ? "Rollback to stable ReplicaSets" : "Rollback to active ReplicaSets within RollbackWindow";
  event(situation, "SkipSteps", message);
}
