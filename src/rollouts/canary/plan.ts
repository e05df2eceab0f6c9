/**
 * The plan of a canary rollout: total, pure, and the same for the same world. Its actions are in the order to be done;
 * whatever is cut off after any of them, the next plan goes on from what it finds.
 *
 * With a router it first asks for the split and plans on with the answer (see `ObservedTraffic`): requests leave pods
 * before pods leave.
 */
import { type RolloutStatus, validateRollout } from "#api";
import { deepEqual, formatProblems, type Problem, toTimestamp } from "#lib";
import { draftConditions, planDeadlineAbort, planDeadlineCheck } from "./conditions.ts";
import { analysisProblems } from "./analysis-spec.ts";
import { draftCounts } from "./draft-counts.ts";
import type { Action, ObservedRollout } from "./observed.ts";
import { calculatePhase } from "./phase.ts";
import { applyVerdicts, planAnalysis } from "./plan-analysis.ts";
import { applySkips, planPause, planProgress, restartUpdate } from "./plan-progress.ts";
import { planRestart } from "./plan-restart.ts";
import { planHistory, planScale } from "./plan-scale.ts";
import { draftWeights, revisionWeights, sameWeights, wantedSplit } from "./plan-traffic.ts";
import { newReplicaSet, replicaSetAnnotations, revisionOf } from "./revisions.ts";
import { event, type Situation, situationOf } from "./situation.ts";

const verifyRetryMs = 10_000;

export function planRollout(observed: ObservedRollout): readonly Action[] {
  const { rollout } = observed;
  if (rollout.metadata.deletionTimestamp !== undefined) return [];
  const problems = validateRollout(rollout);
  if (problems.length > 0) return planInvalid(observed, problems);
  // Autoscalers need a number to start from: upstream writes its default back.
  if (rollout.spec.replicas === undefined) return [{ kind: "setReplicas", replicas: 1 }];
  const missing = analysisProblems(observed);
  if (missing.length > 0) return planInvalid(observed, missing);
  return planValid(observed);
}

function planValid(observed: ObservedRollout): readonly Action[] {
  const situation = situationOf(observed);
  applySkips(situation);
  applyVerdicts(situation);
  const split = wantedSplit(situation);
  if (split !== undefined) {
    const weights = revisionWeights(split);
    const { traffic } = observed;
    if (traffic.kind !== "set" || !sameWeights(traffic.weights, weights)) return [{ kind: "setWeights", weights }];
    if (traffic.verified === false) {
      situation.actions.push({ kind: "requeueAfter", ms: verifyRetryMs, reason: "split not verified yet" });
    }
  }
  planRevision(situation);
  if (situation.changed) {
    restartUpdate(situation);
  } else {
    draftWeights(situation, split);
    const restarting = planRestart(situation);
    planHistory(situation);
    const problem = planAnalysis(situation);
    if (problem !== undefined) return planInvalid(observed, [problem]);
    const scaled = !restarting && planScale(situation);
    planPause(situation, scaled);
    planProgress(situation, split, scaled);
  }
  finish(situation);
  return [...situation.actions, ...situation.later];
}

/** The desired revision's ReplicaSet and its number. */
function planRevision(situation: Situation): void {
  const { rollout, revisions, actions } = situation;
  const { desired, hash, number } = revisions;
  if (desired === undefined) {
    const replicaSet = newReplicaSet(rollout, hash, number);
    actions.push({ kind: "createReplicaSet", replicaSet });
    event(situation, "NewReplicaSetCreated", `Created ReplicaSet ${replicaSet.metadata.name} (revision ${number})`);
  } else {
    const annotations = replicaSetAnnotations(rollout, number);
    const minReadySeconds = rollout.spec.minReadySeconds ?? 0;
    const known = desired.metadata.annotations ?? {};
    const differs = Object.entries(annotations).some(([key, value]) => known[key] !== value);
    if (differs || (desired.spec.minReadySeconds ?? 0) !== minReadySeconds) {
      actions.push({ kind: "annotateReplicaSet", name: desired.metadata.name, annotations, minReadySeconds });
    }
  }
  if (revisionOf(rollout) !== number) {
    actions.push({ kind: "setRevision", revision: number });
    event(situation, "RolloutUpdated", `Rollout updated to revision ${number}`);
  }
}

/** Counts, conditions and phase of the drafted status, and its writing if anything changed. */
function finish(situation: Situation): void {
  const { draft, before, rollout, actions } = situation;
  draftCounts(situation);
  planDeadlineAbort(situation);
  if (draft.abort !== true) {
    delete draft.abort;
    delete draft.abortedAt;
  }
  if ((draft.pauseConditions ?? []).length === 0) {
    delete draft.pauseConditions;
    delete draft.controllerPause;
  }
  draftConditions(situation);
  Object.assign(draft, phaseOf(rollout, draft));
  if (draft.message === "") delete draft.message;
  announcePause(situation);
  planDeadlineCheck(situation);
  if (!deepEqual(draft, before)) actions.push({ kind: "updateStatus", status: draft });
}

function phaseOf(rollout: ObservedRollout["rollout"], status: RolloutStatus): Pick<RolloutStatus, "phase" | "message"> {
  return calculatePhase(rollout, status);
}

function announcePause(situation: Situation): void {
  const { before, draft } = situation;
  const wasPaused = (before.pauseConditions ?? []).length > 0;
  const pause = draft.pauseConditions?.[0];
  if (pause !== undefined && !wasPaused) event(situation, "RolloutPaused", `Rollout is paused (${pause.reason})`);
  if (pause === undefined && wasPaused && draft.abort !== true)
    event(situation, "RolloutResumed", "Rollout is resumed");
}

/** Says what is wrong and touches nothing: what ran before keeps running. */
function planInvalid(observed: ObservedRollout, problems: readonly Problem[]): readonly Action[] {
  const { rollout, now } = observed;
  const before = rollout.status ?? {};
  const text = `The Rollout "${rollout.metadata.name}" is invalid: ${formatProblems(problems).replaceAll("\n", "; ")}`;
  const old = before.conditions?.find(({ type }) => type === "InvalidSpec");
  const time = toTimestamp(now);
  const condition = {
    type: "InvalidSpec",
    status: "True" as const,
    reason: "InvalidSpec",
    message: text,
    lastTransitionTime: old?.lastTransitionTime ?? time,
    lastUpdateTime: old?.message === text ? (old.lastUpdateTime ?? time) : time,
  };
  const conditions = [...(before.conditions ?? []).filter(({ type }) => type !== "InvalidSpec"), condition];
  const observedGeneration = String(rollout.metadata.generation ?? 0);
  const draft: RolloutStatus = { ...before, conditions, observedGeneration };
  Object.assign(draft, { phase: "Degraded", message: `InvalidSpec: ${text}` });
  if (deepEqual(draft, before)) return [];
  return [
    { kind: "updateStatus", status: draft },
    { kind: "recordEvent", type: "Warning", reason: "InvalidSpec", message: text },
  ];
}
