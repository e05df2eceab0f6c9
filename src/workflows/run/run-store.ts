/** Runs and jobs as rows: read into what the planner sees, written as the planner says. */
import { sql, type Transaction } from "kysely";
import type { Workflow } from "../parse/model.ts";
import type { RunContexts } from "../plan/expand-job.ts";
import { openGate } from "../environments/gates.ts";
import type { GroupRequest } from "../plan/concurrency.ts";
import type { Gate } from "../plan/environment-gate.ts";
import type { JobInstance, JobState } from "../plan/job-state.ts";
import { ownKey, relativesOf } from "../plan/job-path.ts";
import type { RunAction } from "../plan/plan-run.ts";
import type { Annotation, ContextObject } from "../protocol.ts";
import type { ServicesPort } from "../ports.ts";
import { githubContext } from "./github-context.ts";
import type { GroupMemberRow, JobRow, RunRow, WorkflowsDatabase, WorkflowsSchema } from "./schema.ts";

export type WorkflowsTransaction = Transaction<WorkflowsSchema>;

/** Ids are numbers; anything else names nothing. */
export function numberOf(id: string): number {
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : 0;
}

export async function findRun(db: WorkflowsDatabase, id: number): Promise<RunRow | undefined> {
  return await db.selectFrom("workflows_runs").selectAll().where("id", "=", id).executeTakeFirst();
}

/** As it is at one of its attempts; undefined when there is no such run or attempt. */
export async function findAttempt(
  db: WorkflowsDatabase,
  id: number,
  attempt: number | undefined,
): Promise<RunRow | undefined> {
  const run = await findRun(db, id);
  if (run === undefined || attempt === undefined) return run;
  return attempt >= 1 && attempt <= run.attempt ? { ...run, attempt } : undefined;
}

/** The head of the pull request that a run is for, as the event told it. */
export async function pullHeadOf(db: WorkflowsDatabase, runId: number): Promise<string | undefined> {
  const row = await db
    .selectFrom("workflows_runs")
    .select(sql<string | null>`payload_json ->> '$.pull_request.head.sha'`.as("head"))
    .where("id", "=", runId)
    .executeTakeFirst();
  return row?.head ?? undefined;
}

/** Jobs of one attempt, in the order of creation within their keys. */
export async function findJobs(db: WorkflowsDatabase, run: Pick<RunRow, "id" | "attempt">): Promise<JobRow[]> {
  return await db
    .selectFrom("workflows_jobs")
    .selectAll()
    .where("run_id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .orderBy("position")
    .orderBy("id")
    .execute();
}

/** What plans look at, and no more: they are made at each change of a run, over all its jobs. */
const planned = [
  "id",
  "key",
  "position",
  "status",
  "conclusion",
  "outputs_json",
  "instance_json",
  "cancel_requested",
  "tries",
] as const;

export type PlannedJob = Pick<JobRow, (typeof planned)[number]>;

/** As `findJobs`. */
export async function findPlannedJobs(
  db: WorkflowsDatabase,
  run: Pick<RunRow, "id" | "attempt">,
): Promise<readonly PlannedJob[]> {
  return await db
    .selectFrom("workflows_jobs")
    .select(planned)
    .where("run_id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .orderBy("position")
    .orderBy("id")
    .execute();
}

/** Whether the job is one of an environment: most are of none, and are spared its questions. */
export function deploys({ instance_json }: Pick<JobRow, "instance_json">): boolean {
  return instance_json?.includes('"environment":') === true;
}

/** Those whose results and calls the expressions of a job may read. */
export async function findRelatives(
  db: WorkflowsDatabase,
  run: Pick<RunRow, "id" | "attempt">,
  workflow: Workflow | undefined,
  key: string,
): Promise<readonly PlannedJob[]> {
  const keys = relativesOf(workflow, key);
  if (keys.length === 0) return [];
  return await db
    .selectFrom("workflows_jobs")
    .select(planned)
    .where("run_id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .where("key", "in", keys)
    .orderBy("position")
    .orderBy("id")
    .execute();
}

export async function findJob(db: WorkflowsDatabase, id: number): Promise<JobRow | undefined> {
  return await db.selectFrom("workflows_jobs").selectAll().where("id", "=", id).executeTakeFirst();
}

export function workflowOf(run: Pick<RunRow, "workflow_json">): Workflow | undefined {
  return run.workflow_json === null ? undefined : (JSON.parse(run.workflow_json) as Workflow);
}

/** Concurrency groups the jobs of a run have joined. */
export async function findMembers(db: WorkflowsDatabase, runId: number): Promise<readonly GroupMemberRow[]> {
  return await db.selectFrom("workflows_group_members").selectAll().where("run_id", "=", runId).orderBy("id").execute();
}

export function jobState(
  row: PlannedJob,
  leaseEndsMs: number | undefined,
  members: readonly GroupMemberRow[] = [],
  gate?: Gate,
): JobState {
  const groups = members.filter((member) => member.job_id === row.id);
  return {
    id: String(row.id),
    key: row.key,
    status: row.status,
    ...(row.conclusion === null ? {} : { conclusion: row.conclusion }),
    outputs: JSON.parse(row.outputs_json) as Record<string, string>,
    ...(row.instance_json === null ? {} : { instance: JSON.parse(row.instance_json) as JobInstance }),
    cancelRequested: row.cancel_requested === 1,
    tries: row.tries,
    ...(leaseEndsMs === undefined ? {} : { leaseEndsMs }),
    ...(groups.length === 0 ? {} : { groups: groups.map(({ name, state }) => ({ name, state })) }),
    ...(gate === undefined ? {} : { gate }),
  };
}

export function runContexts(run: RunRow, urls: ServicesPort["base"]): RunContexts {
  return {
    github: githubContext(run, urls),
    vars: JSON.parse(run.vars_json) as ContextObject,
    inputs: JSON.parse(run.inputs_json) as ContextObject,
  };
}

/** A job that is not expanded yet. */
export async function insertPlaceholder(
  tx: WorkflowsTransaction,
  run: Pick<RunRow, "id" | "attempt">,
  job: { readonly key: string; readonly name?: string },
): Promise<void> {
  // A name that is a template has no value yet; the key stands in for it.
  const name = job.name === undefined || job.name.includes("${{") ? ownKey(job.key) : job.name;
  await tx
    .insertInto("workflows_jobs")
    .values({ ...newJob(run, job.key), name })
    .execute();
}

export function newJob(run: Pick<RunRow, "id" | "attempt">, key: string): Omit<JobRow, "id"> {
  return {
    run_id: run.id,
    attempt: run.attempt,
    key,
    position: 0,
    name: key,
    status: "waiting",
    conclusion: null,
    instance_json: null,
    outputs_json: "{}",
    annotations_json: "[]",
    summary: "",
    message: null,
    cancel_requested: 0,
    tries: 0,
    runner_id: null,
    runner_name: null,
    claim_id: null,
    lease: null,
    token_live: 0,
    source_job_id: null,
    queued_at: null,
    started_at: null,
    completed_at: null,
    environment_url: null,
  };
}

/** Writes one action. Each is guarded by the state it was planned for, so that a job already further on stays so. */
export async function applyAction(
  tx: WorkflowsTransaction,
  run: RunRow,
  action: RunAction,
  nowMs: number,
): Promise<void> {
  switch (action.kind) {
    case "expand":
      return await expand(tx, run, action);
    case "queue":
      await updateJob(tx, action.jobId, ["waiting"], { status: "queued", queued_at: nowMs });
      return;
    case "arrive":
      await openGate(tx, run, Number(action.jobId), action.environment, nowMs);
      return;
    case "join":
      await joinGroup(tx, run, action.group, Number(action.jobId));
      return;
    case "enter":
      return await enter(tx, run, action, nowMs);
    case "finish-call":
      await updateJob(tx, action.jobId, ["in_progress"], {
        status: "completed",
        conclusion: action.conclusion,
        outputs_json: JSON.stringify(action.outputs),
        completed_at: nowMs,
      });
      return;
    case "requeue":
      await updateJob(tx, action.jobId, ["in_progress"], {
        status: "queued",
        queued_at: nowMs,
        started_at: null,
        runner_id: null,
        runner_name: null,
        claim_id: null,
        lease: null,
        message: action.message,
      });
      return;
    case "request-cancel":
      await updateJob(tx, action.jobId, ["in_progress"], { cancel_requested: 1 });
      return;
    case "finish-job":
      await finishJob(tx, action, nowMs);
      return;
    case "finish-run":
      await tx
        .updateTable("workflows_runs")
        .set({ status: "completed", conclusion: action.conclusion, completed_at: nowMs })
        .where("id", "=", run.id)
        .where("status", "!=", "completed")
        .execute();
      await toTell(tx, run, "completed");
  }
}

/** Notes that workflows which follow this one are to hear of it; told by `follow-ups.ts`, in order, at least once. */
export async function toTell(
  tx: WorkflowsTransaction,
  run: Pick<RunRow, "id" | "attempt">,
  action: "requested" | "in_progress" | "completed",
): Promise<void> {
  await tx.insertInto("workflows_outbox").values({ run_id: run.id, attempt: run.attempt, action }).execute();
}

/** Becomes a pending member at the end; whether it may begin is settled right after. */
export async function joinGroup(
  tx: WorkflowsTransaction,
  run: Pick<RunRow, "id" | "repository">,
  group: GroupRequest,
  jobId: number | null,
): Promise<void> {
  await tx
    .insertInto("workflows_group_members")
    .values({
      repository: run.repository,
      name: group.name,
      run_id: run.id,
      job_id: jobId,
      state: "pending",
      cancel_in_progress: group.cancelInProgress ? 1 : 0,
      queue_mode: group.queue,
    })
    .execute();
}

async function enter(
  tx: WorkflowsTransaction,
  run: RunRow,
  action: Extract<RunAction, { kind: "enter" }>,
  nowMs: number,
): Promise<void> {
  const there = await tx
    .selectFrom("workflows_jobs")
    .select("key")
    .where("run_id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .execute();
  const known = new Set(there.map((row) => row.key));
  for (const { key, name } of action.jobs) {
    if (known.has(key)) continue;
    await tx
      .insertInto("workflows_jobs")
      .values({ ...newJob(run, key), name })
      .execute();
  }
  await updateJob(tx, action.jobId, ["waiting"], { status: "in_progress", started_at: nowMs });
}

async function updateJob(
  tx: WorkflowsTransaction,
  jobId: string,
  from: readonly JobRow["status"][],
  values: Partial<JobRow>,
): Promise<void> {
  await tx
    .updateTable("workflows_jobs")
    .set(values)
    .where("id", "=", Number(jobId))
    .where("status", "in", [...from])
    .execute();
}

async function finishJob(
  tx: WorkflowsTransaction,
  action: Extract<RunAction, { kind: "finish-job" }>,
  nowMs: number,
): Promise<void> {
  const annotation: Annotation | undefined =
    action.conclusion === "failure" && action.message !== undefined
      ? { level: "error", message: action.message }
      : undefined;
  await updateJob(tx, action.jobId, ["waiting", "queued", "in_progress"], {
    status: "completed",
    conclusion: action.conclusion,
    message: action.message ?? null,
    completed_at: nowMs,
    lease: null,
    ...(annotation === undefined ? {} : { annotations_json: JSON.stringify([annotation]) }),
  });
}

async function expand(
  tx: WorkflowsTransaction,
  run: RunRow,
  action: Extract<RunAction, { kind: "expand" }>,
): Promise<void> {
  for (const instance of action.instances) {
    const values = { name: instance.name, instance_json: JSON.stringify(instance), position: instance.index };
    if (instance.index === 0) {
      await updateJob(tx, action.jobId, ["waiting"], values);
      continue;
    }
    await tx
      .insertInto("workflows_jobs")
      .values({ ...newJob(run, action.key), ...values })
      .execute();
  }
}
