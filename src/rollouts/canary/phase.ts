import type { Rollout, RolloutPhase, RolloutStatus } from "#api";

export interface PhaseAndMessage {
  readonly phase: RolloutPhase;
  readonly message: string;
}

/** The phase the controller writes; the first rule that applies. */
export function calculatePhase(rollout: Rollout, status: RolloutStatus): PhaseAndMessage {
  const { spec } = rollout;
  for (const { type, reason, message = "" } of status.conditions ?? []) {
    if (type === "InvalidSpec") return { phase: "Degraded", message: `InvalidSpec: ${message}` };
    if (reason === "RolloutAborted" || reason === "ProgressDeadlineExceeded") {
      return { phase: "Degraded", message: `${reason}: ${message}` };
    }
  }
  if (spec.paused === true) return { phase: "Paused", message: "manually paused" };
  const pause = status.pauseConditions?.[0];
  if (pause !== undefined) return { phase: "Paused", message: pause.reason };
  const message = progressMessage(rollout, status);
  return message === "" ? { phase: "Healthy", message } : { phase: "Progressing", message };
}

/** What is still to be waited for; empty when nothing is. */
function progressMessage({ spec }: Rollout, status: RolloutStatus): string {
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  if (isRestartPending(spec.restartAt, status.restartedAt)) return "rollout is restarting";
  if (updatedReplicas < (spec.replicas ?? 1)) return "more replicas need to be updated";
  if (availableReplicas < updatedReplicas) return "updated replicas are still becoming available";
  if (replicas > updatedReplicas) return "old replicas are pending termination";
  if (!status.stableRS || status.stableRS !== status.currentPodHash) return "waiting for all steps to complete";
  return "";
}

export function isRestartPending(restartAt: string | undefined, restartedAt: string | undefined): boolean {
  if (restartAt === undefined) return false;
  return restartedAt === undefined || !Temporal.Instant.from(restartAt).equals(Temporal.Instant.from(restartedAt));
}

/** The phase for people and other controllers: does not show that of a spec or a resume the controller has not seen yet. */
export function rolloutPhase(rollout: Rollout): PhaseAndMessage {
  const { status = {}, metadata } = rollout;
  const observed = Number(status.observedGeneration ?? "0");
  if (metadata.generation !== undefined && observed < metadata.generation) {
    return { phase: "Progressing", message: "waiting for rollout spec update to be observed" };
  }
  if (status.controllerPause === true && (status.pauseConditions ?? []).length === 0) {
    return { phase: "Progressing", message: "waiting for rollout to unpause" };
  }
  if (status.phase !== undefined) return { phase: status.phase, message: status.message ?? "" };
  return calculatePhase(rollout, status);
}
