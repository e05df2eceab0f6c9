/**
 * What a running sync does next. Pure: everything done so far stands in `results`, which is stored in the Application's
 * status, so a sync goes on after a crash where it was.
 *
 * One group of equal phase and wave runs at a time. A sync of a single group is over when it is applied; a sync of
 * several waits until each group is healthy, and so do hooks always.
 */
import type { OperationPhase, ResourceResult } from "#api";
import type { Health } from "../health/health.ts";
import { keyText } from "../object-key.ts";
import type { SyncTask } from "./tasks.ts";

export type SyncStep =
  | { readonly kind: "run"; readonly tasks: readonly SyncTask[] }
  | { readonly kind: "wait"; readonly message: string }
  | { readonly kind: "finish"; readonly phase: "Succeeded" | "Failed"; readonly message: string };

export interface StepInput {
  readonly tasks: readonly SyncTask[];
  readonly results: readonly ResourceResult[];
  /** By `keyText`: undefined when the object is not there. */
  readonly health: (task: SyncTask) => {
    readonly there: boolean;
    readonly deleting: boolean;
    readonly health?: Health;
  };
}

export interface SyncProgress {
  readonly step: SyncStep;
  /** The results with what is known now of running tasks. */
  readonly results: readonly ResourceResult[];
}

export function planStep(input: StepInput): SyncProgress {
  const results = input.results.map((result) => updateResult(result, input));
  return { results, step: decide(input.tasks, results, input) };
}

export function resultOf(results: readonly ResourceResult[], task: SyncTask): ResourceResult | undefined {
  return results.find((result) => result.syncPhase === task.phase && keyText(result) === keyText(task.key));
}

function decide(tasks: readonly SyncTask[], results: readonly ResourceResult[], input: StepInput): SyncStep {
  const groups = new Set(tasks.filter(({ phase }) => phase !== "SyncFail").map(groupOf));
  const running = results.filter(({ hookPhase }) => hookPhase === "Running");
  const waiting = running.filter((result) => result.hookType !== undefined || groups.size > 1);
  const [first] = waiting;
  if (first !== undefined) return { kind: "wait", message: waitMessage(first, waiting.length) };
  const leaving = tasks.find((task) => resultOf(results, task)?.status === "Pruned" && input.health(task).deleting);
  if (leaving !== undefined && groups.size > 1) {
    return { kind: "wait", message: `waiting for deletion of ${leaving.key.kind} "${leaving.key.name}"` };
  }
  const failed = results.filter(({ hookPhase, status }) => hookPhase === "Failed" || status === "SyncFailed");
  const pending = tasks.filter((task) => resultOf(results, task) === undefined);
  if (failed.length > 0) return afterFailure(failed, pending);
  const next = pending.find(({ phase }) => phase !== "SyncFail");
  if (next === undefined) return { kind: "finish", phase: "Succeeded", message: "successfully synced (all tasks run)" };
  return { kind: "run", tasks: pending.filter((task) => groupOf(task) === groupOf(next)) };
}

function afterFailure(failed: readonly ResourceResult[], pending: readonly SyncTask[]): SyncStep {
  const next = pending.find(({ phase }) => phase === "SyncFail");
  if (next !== undefined) return { kind: "run", tasks: pending.filter((task) => groupOf(task) === groupOf(next)) };
  const [first] = failed;
  const reason = first === undefined ? "" : `${first.kind} "${first.name}": ${first.message ?? "failed"}`;
  return {
    kind: "finish",
    phase: "Failed",
    message: `one or more synchronization tasks completed unsuccessfully, reason: ${reason}`,
  };
}

function groupOf(task: SyncTask): string {
  return `${task.phase}/${task.wave}`;
}

function waitMessage(first: ResourceResult, count: number): string {
  const what = first.hookType === undefined ? "healthy state of" : "completion of hook";
  const more = count > 1 ? ` and ${count - 1} more` : "";
  return `waiting for ${what} ${first.kind} "${first.name}"${more}`;
}

function updateResult(result: ResourceResult, input: StepInput): ResourceResult {
  if (result.hookPhase !== "Running") return result;
  const task = input.tasks.find(
    (candidate) => candidate.phase === result.syncPhase && keyText(candidate.key) === keyText(result),
  );
  if (task === undefined) return { ...result, hookPhase: "Succeeded" };
  const { there, health } = input.health(task);
  const hookPhase = there ? phaseOf(health, task) : task.hook === undefined ? "Running" : "Failed";
  const message =
    hookPhase === "Running" ? result.message : (health?.message ?? (there ? result.message : "was deleted"));
  return { ...result, hookPhase, ...(message === undefined ? {} : { message }) };
}

function phaseOf(health: Health | undefined, task: SyncTask): OperationPhase {
  if (health === undefined || health.status === "Healthy") return "Succeeded";
  if (health.status === "Degraded") return "Failed";
  return task.hook !== undefined && health.status === "Unknown" ? "Failed" : "Running";
}
