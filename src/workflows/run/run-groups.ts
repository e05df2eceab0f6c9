/** Concurrency groups as rows. Called under a lock of the group. */
import { planGroup, type GroupAction, type GroupRun } from "../plan/plan-group.ts";
import type { RunParts } from "./parts.ts";
import type { WorkflowsTransaction } from "./run-store.ts";
import type { WorkflowsDatabase } from "./schema.ts";

/** Starts and cancels what is due in the group and returns the runs concerned. */
export async function settleGroup(parts: RunParts, repository: string, group: string): Promise<readonly number[]> {
  const actions = planGroup(await groupRuns(parts.db, repository, group));
  const nowMs = parts.clock.now().epochMilliseconds;
  await parts.db.transaction().execute(async (tx) => {
    for (const action of actions) await applyGroupAction(tx, action, nowMs);
  });
  return actions.map((action) => Number(action.runId));
}

async function groupRuns(db: WorkflowsDatabase, repository: string, group: string): Promise<readonly GroupRun[]> {
  const rows = await db
    .selectFrom("workflows_runs")
    .select(["id", "status", "cancel_requested", "cancel_in_progress", "queue_mode"])
    .where("repository", "=", repository)
    .where("concurrency_group", "=", group)
    .where("status", "!=", "completed")
    .orderBy("id")
    .execute();
  return rows.map((row) => ({
    id: String(row.id),
    state: row.status === "pending" ? "pending" : "active",
    cancelRequested: row.cancel_requested === 1,
    cancelInProgress: row.cancel_in_progress === 1,
    queue: row.queue_mode,
  }));
}

async function applyGroupAction(tx: WorkflowsTransaction, action: GroupAction, nowMs: number): Promise<void> {
  const runId = Number(action.runId);
  if (action.kind === "cancel") {
    await tx.updateTable("workflows_runs").set({ cancel_requested: 1 }).where("id", "=", runId).execute();
    await endPending(tx, runId, nowMs);
    return;
  }
  await tx
    .updateTable("workflows_runs")
    .set({ status: "queued" })
    .where("id", "=", runId)
    .where("status", "=", "pending")
    .execute();
}

/** Of a run that only waited no job runs, not even one that says `if: always()`. Does nothing to other runs. */
export async function endPending(tx: WorkflowsTransaction, runId: number, nowMs: number): Promise<void> {
  const ended = { status: "completed", conclusion: "cancelled", completed_at: nowMs } as const;
  const result = await tx
    .updateTable("workflows_runs")
    .set({ ...ended, cancel_requested: 1 })
    .where("id", "=", runId)
    .where("status", "=", "pending")
    .executeTakeFirst();
  if (result.numUpdatedRows === 0n) return;
  await tx
    .updateTable("workflows_jobs")
    .set(ended)
    .where("run_id", "=", runId)
    .where("status", "=", "waiting")
    .execute();
}
