/** Which mark stands for which word of the API. Pure. */
import type { DeliveryOutcome, HealthCode, PullCheck, PullSummary, RunConclusion, RunStatus, SyncCode } from "#api";
import type { MarkState } from "./mark.tsx";

interface RunLike {
  readonly status: RunStatus;
  readonly conclusion?: RunConclusion;
  /** Waits for its environment. */
  readonly held?: boolean;
}

export function runState(run: RunLike): MarkState {
  if (run.held === true && run.status !== "completed") return "paused";
  if (run.status === "queued") return "waiting";
  if (run.status === "in_progress") return "running";
  switch (run.conclusion) {
    case "success":
      return "done";
    case "failure":
      return "failed";
    case "cancelled":
    case "skipped":
      return "skipped";
    default:
      return "unknown";
  }
}

export function runWord(run: RunLike): string {
  if (run.held === true && run.status !== "completed") return "waiting";
  if (run.status === "queued") return "queued";
  if (run.status === "in_progress") return "running";
  return run.conclusion === "success"
    ? "passed"
    : run.conclusion === "failure"
      ? "failed"
      : (run.conclusion ?? "ended");
}

export function checkState({ state }: Pick<PullCheck, "state">): MarkState {
  if (state === "success") return "done";
  if (state === "failure") return "failed";
  return state === "pending" ? "running" : "waiting";
}

/** Of an open one, what its checks say. */
export function pullState({ state, draft, checks }: Pick<PullSummary, "state" | "draft" | "checks">): MarkState {
  if (state === "merged") return "done";
  if (state === "closed") return "skipped";
  if (draft) return "paused";
  return checks === undefined ? "waiting" : checkState({ state: checks });
}

export function pullWord({ state, draft, checks }: Pick<PullSummary, "state" | "draft" | "checks">): string {
  if (state !== "open") return state;
  if (draft) return "draft";
  const words = { success: "checks passed", failure: "checks failed", pending: "checks running" } as const;
  return checks === undefined ? "open" : words[checks];
}

const healths: Readonly<Record<HealthCode, MarkState>> = {
  Healthy: "done",
  Progressing: "running",
  Suspended: "paused",
  Degraded: "failed",
  Missing: "waiting",
  Unknown: "unknown",
};

export function healthState(health: HealthCode): MarkState {
  return healths[health];
}

export function syncState(sync: SyncCode): MarkState {
  return sync === "Synced" ? "done" : sync === "OutOfSync" ? "changed" : "unknown";
}

export const outcomes: Readonly<Record<DeliveryOutcome, { readonly state: MarkState; readonly word: string }>> = {
  delivering: { state: "running", word: "Delivering" },
  live: { state: "done", word: "Live" },
  replaced: { state: "skipped", word: "Replaced" },
  "rolled-back": { state: "failed", word: "Rolled back" },
  failed: { state: "failed", word: "Failed" },
  built: { state: "unknown", word: "Built" },
};

/** Phases of rollouts, analysis runs, metrics, measurements and sync operations, and of pods. */
const phases: Readonly<Record<string, MarkState>> = {
  Healthy: "done",
  Successful: "done",
  Succeeded: "done",
  Running: "running",
  Progressing: "running",
  Terminating: "running",
  Paused: "paused",
  Inconclusive: "paused",
  Degraded: "failed",
  Failed: "failed",
  Error: "failed",
  Aborted: "failed",
  Pending: "waiting",
};

export function phaseState(phase: string): MarkState {
  return phases[phase] ?? "unknown";
}
