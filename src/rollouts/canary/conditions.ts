/** The conditions of a Rollout, with upstream's reasons and texts. */
import type { Condition, Rollout, RolloutStatus } from "#api";
import { msBetween, toTimestamp } from "#lib";
import { after, isPast } from "../timestamps.ts";
import { event, isFullyPromoted, type Situation } from "./situation.ts";
import { currentStep, stepsOf } from "./steps.ts";

const defaultDeadlineSeconds = 600;

/** Everything but the abort of a missed deadline, which `planDeadlineAbort` decides before. */
export function draftConditions(situation: Situation): void {
  const { draft } = situation;
  draft.conditions = (draft.conditions ?? []).filter(({ type }) => type !== "InvalidSpec");
  const becameUnhealthy = draftHealthy(situation);
  draftProgressing(situation, becameUnhealthy);
  draftPaused(situation);
  draftAvailable(situation);
  draftReplicaFailure(situation);
  draftCompleted(situation);
}

function isPaused({ rollout, draft }: Situation): boolean {
  return rollout.spec.paused === true || (draft.pauseConditions ?? []).length > 0;
}

function find(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

type Wanted = Pick<Condition, "type" | "status" | "reason" | "message">;

/** Puts the condition in unless one with the same status and reason stands; true when it was put in. Upstream's rule: a message alone changes nothing. */
function set(situation: Situation, wanted: Wanted, force = false): boolean {
  const conditions = situation.draft.conditions ?? [];
  const old = find(conditions, wanted.type);
  if (!force && old?.status === wanted.status && old.reason === wanted.reason) return false;
  const time = toTimestamp(situation.now);
  const lastTransitionTime = old?.status === wanted.status ? (old.lastTransitionTime ?? time) : time;
  const next: Condition = { ...wanted, lastTransitionTime, lastUpdateTime: time };
  situation.draft.conditions = [...conditions.filter(({ type }) => type !== wanted.type), next];
  return true;
}

/** True when a rollout that was healthy no longer is. */
function draftHealthy(situation: Situation): boolean {
  const reason = "RolloutHealthy";
  if (!isPaused(situation) && isHealthy(situation)) {
    set(situation, { type: "Healthy", status: "True", reason, message: "Rollout is healthy" });
    return false;
  }
  if (find(situation.draft.conditions, "Healthy") === undefined) return false;
  return set(situation, { type: "Healthy", status: "False", reason, message: "Rollout is not healthy" });
}

function isHealthy(situation: Situation): boolean {
  const { draft, replicas, rollout } = situation;
  const steps = stepsOf(rollout).length;
  const done = steps === 0 || draft.currentStepIndex === undefined || draft.currentStepIndex === steps;
  return (
    done &&
    isFullyPromoted(situation) &&
    draft.replicas === replicas &&
    draft.updatedReplicas === replicas &&
    draft.availableReplicas === replicas
  );
}

function draftProgressing(situation: Situation, becameUnhealthy: boolean): void {
  const { draft, before, revisions } = situation;
  const type = "Progressing";
  const wasAborted = find(before.conditions, type)?.reason === "RolloutAborted";
  if (draft.abort === true) {
    const detail = situation.abortMessage === undefined ? "" : `: ${situation.abortMessage}`;
    const message = `Rollout aborted update to revision ${revisions.number}${detail}`;
    if (set(situation, { type, status: "False", reason: "RolloutAborted", message })) {
      event(situation, "RolloutAborted", message, "Warning");
    }
    return;
  }
  if (wasAborted) {
    const message = "Retrying Rollout after abort";
    set(situation, { type, status: "Unknown", reason: "RolloutRetry", message });
  }
  if (isPaused(situation) && !isFullyPromoted(situation)) {
    set(situation, { type, status: "Unknown", reason: "RolloutPaused", message: "Rollout is paused" });
    return;
  }
  if (find(draft.conditions, type)?.reason === "RolloutPaused") {
    set(situation, { type, status: "Unknown", reason: "RolloutResumed", message: "Rollout is resumed" });
  }
  draftProgress(situation, becameUnhealthy);
}

function draftProgress(situation: Situation, becameUnhealthy: boolean): void {
  const { rollout, revisions } = situation;
  const type = "Progressing";
  const name = revisions.desired?.metadata.name;
  if (isHealthy(situation)) {
    const message = `ReplicaSet "${name ?? ""}" has successfully progressed.`;
    set(situation, { type, status: "True", reason: "NewReplicaSetAvailable", message });
  } else if (hasProgressed(situation) || becameUnhealthy) {
    const broke = becameUnhealthy && isFullyPromoted(situation);
    const reason = broke ? "ReplicaSetNotAvailable" : "ReplicaSetUpdated";
    const subject = name === undefined ? `Rollout "${rollout.metadata.name}"` : `ReplicaSet "${name}"`;
    const message = broke ? "Rollout does not have minimum availability" : `${subject} is progressing.`;
    // Also with the same reason: lastUpdateTime is what the deadline is counted from.
    set(situation, { type, status: "True", reason, message }, true);
  } else if (countsForDeadline(situation) && isTimedOut(situation)) {
    set(situation, { type, status: "False", reason: "ProgressDeadlineExceeded", message: timeoutMessage(situation) });
  }
}

function timeoutMessage({ rollout, revisions }: Situation): string {
  const name = revisions.desired?.metadata.name;
  return name === undefined
    ? `Rollout "${rollout.metadata.name}" has timed out progressing.`
    : `ReplicaSet "${name}" has timed out progressing.`;
}

function hasProgressed({ before, draft }: Situation): boolean {
  const [old, now] = [counted(before), counted(draft)];
  return (
    now.updated !== old.updated ||
    now.replicas - now.updated < old.replicas - old.updated ||
    now.ready > old.ready ||
    now.available > old.available ||
    draft.stableRS !== before.stableRS ||
    draft.currentStepHash !== before.currentStepHash ||
    (before.currentStepIndex !== undefined && draft.currentStepIndex !== before.currentStepIndex)
  );
}

function counted(status: RolloutStatus): Readonly<Record<"replicas" | "updated" | "ready" | "available", number>> {
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  return { replicas, updated: updatedReplicas, ready: readyReplicas, available: availableReplicas };
}

/** A pause or an analysis may take as long as it takes. */
function countsForDeadline(situation: Situation): boolean {
  const step = currentStep(situation.rollout, situation.before);
  return step?.pause === undefined && step?.analysis === undefined && !isPaused(situation);
}

function deadline(rollout: Rollout, progressing: Condition | undefined): Temporal.Instant | undefined {
  const uncounted = ["RolloutAborted", "RolloutPaused", "NewReplicaSetAvailable"];
  if (progressing?.lastUpdateTime === undefined || uncounted.includes(progressing.reason ?? "")) return undefined;
  return after(progressing.lastUpdateTime, (rollout.spec.progressDeadlineSeconds ?? defaultDeadlineSeconds) * 1000);
}

function isTimedOut(situation: Situation): boolean {
  const progressing = find(situation.draft.conditions, "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded") return true;
  const end = deadline(situation.rollout, progressing);
  return end !== undefined && isPast(end, situation.now);
}

/** With `progressDeadlineAbort`, a missed deadline ends the update; never one that is complete or moved just now. */
export function planDeadlineAbort(situation: Situation): void {
  const { rollout, draft } = situation;
  if (rollout.spec.progressDeadlineAbort !== true || draft.abort === true || isFullyPromoted(situation)) return;
  if (hasProgressed(situation) || !countsForDeadline(situation) || !isTimedOut(situation)) return;
  draft.abort = true;
  situation.abortMessage = timeoutMessage(situation);
}

/** Comes back when the deadline is over, if it runs. */
export function planDeadlineCheck(situation: Situation): void {
  const { draft, rollout, now, actions } = situation;
  if (draft.abort === true || isHealthy(situation) || !countsForDeadline(situation)) return;
  const progressing = find(draft.conditions, "Progressing");
  const end = progressing?.reason === "ProgressDeadlineExceeded" ? undefined : deadline(rollout, progressing);
  if (end === undefined) return;
  actions.push({ kind: "requeueAfter", ms: Math.max(0, msBetween(now, end)) + 1000, reason: "progress deadline" });
}

function draftPaused(situation: Situation): void {
  const paused = isPaused(situation);
  const known = find(situation.draft.conditions, "Paused");
  if (paused === (known?.status === "True") || situation.draft.abort === true) return;
  const status = paused ? "True" : "False";
  set(situation, { type: "Paused", status, reason: "RolloutPaused", message: "Rollout is paused" });
}

function draftAvailable(situation: Situation): void {
  const { draft, replicas } = situation;
  const enough = (draft.availableReplicas ?? 0) >= replicas;
  const message = enough ? "Rollout has minimum availability" : "Rollout does not have minimum availability";
  set(situation, { type: "Available", status: enough ? "True" : "False", reason: "AvailableReason", message });
}

/** What keeps a ReplicaSet from making pods shows on its Rollout; the desired revision's first. */
function draftReplicaFailure(situation: Situation): void {
  const { revisions, draft } = situation;
  const sets = [revisions.desired, revisions.stable, ...revisions.others];
  const failure = sets.flatMap((one) => one?.status?.conditions ?? []).find(({ type }) => type === "ReplicaFailure");
  if (failure === undefined) {
    draft.conditions = (draft.conditions ?? []).filter(({ type }) => type !== "ReplicaFailure");
    return;
  }
  const { status, reason = "", message = "" } = failure;
  set(situation, { type: "ReplicaFailure", status, reason, message });
}

function draftCompleted(situation: Situation): void {
  const reason = "RolloutCompleted";
  const done = isFullyPromoted(situation);
  const changed = set(situation, { type: "Completed", status: done ? "True" : "False", reason, message: reason });
  if (done || !changed) return;
  const { number, hash } = situation.revisions;
  event(situation, "RolloutNotCompleted", `Rollout not completed, started update to revision ${number} (${hash})`);
}
