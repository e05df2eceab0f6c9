/** Concurrency groups as rows. Called under a lock of the group. */
import { planGroup, type GroupRun } from "../plan/plan-group.ts";
import type { RunParts } from "./parts.ts";
import { toTell, type WorkflowsTransaction } from "./run-store.ts";
import type { GroupMemberRow, RunRow, WorkflowsDatabase } from "./schema.ts";

/** A member with what is known of the run or job that it is. */
interface Member extends GroupMemberRow {
  readonly attempt: number;
  readonly number: number;
  readonly title: string;
  /** Of the job, else of the run. */
  readonly status: string;
  readonly cancel_requested: number;
}

/** Run or job that changed by it. */
export interface Settled {
  readonly runId: number;
  readonly jobId?: number;
}

/** Starts and cancels what is due in the group and returns the runs and jobs concerned. */
export async function settleGroup(parts: RunParts, repository: string, group: string): Promise<readonly Settled[]> {
  const all = await groupMembers(parts.db, repository, group);
  const members = all.filter((member) => member.status !== "completed");
  const ended = all.filter((member) => member.status === "completed").map((member) => member.id);
  const actions = planGroup(members.map(groupRun));
  const newest = members.at(-1);
  if (actions.length === 0 && ended.length === 0) return [];
  const nowMs = parts.clock.now().epochMilliseconds;
  await parts.db.transaction().execute(async (tx) => {
    if (ended.length > 0) await tx.deleteFrom("workflows_group_members").where("id", "in", ended).execute();
    for (const action of actions) {
      const member = members.find((one) => String(one.id) === action.runId);
      if (member === undefined) continue;
      if (action.kind === "start") await startMember(tx, member);
      else await cancelMember(tx, member, replacedBy(member, newest), nowMs);
    }
  });
  return actions.flatMap((action) => {
    const member = members.find((one) => String(one.id) === action.runId);
    if (member === undefined) return [];
    return [{ runId: member.run_id, ...(member.job_id === null ? {} : { jobId: member.job_id }) }];
  });
}

function replacedBy(member: Member, newest: Member | undefined): string {
  const who = newest === undefined ? "a newer run" : `run #${newest.number} (${newest.title})`;
  return `Cancelled: ${who} took its place in concurrency group "${member.name}"`;
}

async function groupMembers(db: WorkflowsDatabase, repository: string, group: string): Promise<readonly Member[]> {
  const rows = await db
    .selectFrom("workflows_group_members as member")
    .innerJoin("workflows_runs as run", "run.id", "member.run_id")
    .leftJoin("workflows_jobs as job", "job.id", "member.job_id")
    .selectAll("member")
    .select(["run.attempt", "run.number", "run.title"])
    .select(["run.status as run_status", "run.cancel_requested as run_cancel"])
    .select(["job.status as job_status", "job.cancel_requested as job_cancel"])
    .where("member.repository", "=", repository)
    .where("member.name", "=", group)
    .orderBy("member.id")
    .execute();
  return rows.map(({ run_status, run_cancel, job_status, job_cancel, ...row }) => ({
    ...row,
    status: row.job_id === null ? run_status : (job_status ?? "completed"),
    cancel_requested: row.job_id === null ? run_cancel : (job_cancel ?? 0),
  }));
}

function groupRun(member: Member): GroupRun {
  return {
    id: String(member.id),
    state: member.state,
    cancelRequested: member.cancel_requested === 1,
    cancelInProgress: member.cancel_in_progress === 1,
    queue: member.queue_mode,
  };
}

async function startMember(tx: WorkflowsTransaction, member: Member): Promise<void> {
  await tx.updateTable("workflows_group_members").set({ state: "active" }).where("id", "=", member.id).execute();
  if (member.job_id !== null) return;
  await tx
    .updateTable("workflows_runs")
    .set({ status: "queued" })
    .where("id", "=", member.run_id)
    .where("status", "=", "pending")
    .execute();
}

async function cancelMember(tx: WorkflowsTransaction, member: Member, message: string, nowMs: number): Promise<void> {
  if (member.job_id === null) {
    await tx
      .updateTable("workflows_runs")
      .set({ cancel_requested: 1, message })
      .where("id", "=", member.run_id)
      .execute();
    await endPending(tx, { id: member.run_id, attempt: member.attempt }, nowMs);
    return;
  }
  await tx
    .updateTable("workflows_jobs")
    .set({ status: "completed", conclusion: "cancelled", completed_at: nowMs, message })
    .where("id", "=", member.job_id)
    .where("status", "in", ["waiting", "queued"])
    .execute();
  await tx
    .updateTable("workflows_jobs")
    .set({ cancel_requested: 1, message })
    .where("id", "=", member.job_id)
    .where("status", "=", "in_progress")
    .execute();
}

/** Of a run that only waited no job runs, not even one that says `if: always()`. Does nothing to other runs. */
export async function endPending(
  tx: WorkflowsTransaction,
  run: Pick<RunRow, "id" | "attempt">,
  nowMs: number,
): Promise<void> {
  const ended = { status: "completed", conclusion: "cancelled", completed_at: nowMs } as const;
  const result = await tx
    .updateTable("workflows_runs")
    .set({ ...ended, cancel_requested: 1 })
    .where("id", "=", run.id)
    .where("status", "=", "pending")
    .executeTakeFirst();
  if (result.numUpdatedRows === 0n) return;
  await tx
    .updateTable("workflows_jobs")
    .set(ended)
    .where("run_id", "=", run.id)
    .where("status", "=", "waiting")
    .execute();
  await toTell(tx, run, "completed");
}
