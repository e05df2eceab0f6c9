/** A completed run started again: a new attempt with jobs of its own; what is kept is carried over as completed. */
import { WorkflowsError } from "../errors.ts";
import type { Job, Workflow } from "../parse/model.ts";
import { ancestorsOf } from "../plan/job-state.ts";
import type { RunParts } from "./parts.ts";
import { pathInto } from "../plan/job-path.ts";
import {
  findJobs,
  findRun,
  insertPlaceholder,
  joinGroup,
  newJob,
  toTell,
  workflowOf,
  type WorkflowsTransaction,
} from "./run-store.ts";
import type { JobRow, RunRow } from "./schema.ts";

export interface RerunOptions {
  /** Only jobs that failed or were cancelled, and those that need them; absent: all. */
  readonly failedOnly?: boolean;
  readonly actor: string;
}

export async function rerun(parts: RunParts, runId: number, options: RerunOptions): Promise<RunRow> {
  return await parts.db.transaction().execute(async (tx) => {
    const run = await findRun(tx, runId);
    const workflow = run === undefined ? undefined : rerunnable(run);
    if (run === undefined || workflow === undefined) {
      throw new WorkflowsError("workflows/not-found", `There is no run ${runId}`);
    }
    const before = await findJobs(tx, run);
    const next: RunRow = {
      ...run,
      attempt: run.attempt + 1,
      triggering_actor: options.actor,
      status: run.concurrency_group === null ? "queued" : "pending",
      conclusion: null,
      cancel_requested: 0,
      completed_at: null,
      started_at: null,
      message: null,
    };
    const { id: _id, ...values } = next;
    await tx.updateTable("workflows_runs").set(values).where("id", "=", runId).execute();
    // Memberships of the earlier attempt would count again, now that the run is not completed any more.
    await tx.deleteFrom("workflows_group_members").where("run_id", "=", runId).execute();
    if (run.concurrency_group !== null) {
      const { concurrency_group: name, cancel_in_progress: cancel, queue_mode: queue } = run;
      await joinGroup(tx, run, { name, cancelInProgress: cancel === 1, queue }, null);
    }
    await toTell(tx, next, "requested");
    await carryScope({ tx, run: next, before, failedOnly: options.failedOnly === true }, workflow, "");
    return next;
  });
}

function rerunnable(run: RunRow): Workflow {
  if (run.status !== "completed") {
    const remedy = "Wait for its end or cancel it first";
    throw new WorkflowsError(
      "workflows/not-possible-now",
      `Cannot run ${run.id} again: it is ${run.status}. ${remedy}`,
    );
  }
  const workflow = workflowOf(run);
  if (workflow === undefined || (run.started_at === null && run.conclusion === "failure" && hasProblem(run))) {
    const remedy = "Correct the workflow file and push it";
    throw new WorkflowsError("workflows/not-possible-now", `Cannot run ${run.id} again: it never began. ${remedy}`);
  }
  return workflow;
}

function hasProblem(run: RunRow): boolean {
  const problems = JSON.parse(run.problems_json) as readonly { readonly severity?: string }[];
  return problems.some((problem) => problem.severity !== "warning");
}

interface Carrying {
  readonly tx: WorkflowsTransaction;
  readonly run: RunRow;
  readonly before: readonly JobRow[];
  readonly failedOnly: boolean;
}

/** The jobs of a workflow: of the run's own, or of a called one whose keys begin with `prefix`. */
async function carryScope(carrying: Carrying, workflow: Workflow, prefix: string, above = ""): Promise<void> {
  for (const job of workflow.jobs) await carryJob(carrying, workflow, job, prefix, above);
}

async function carryJob(
  carrying: Carrying,
  workflow: Workflow,
  job: Job,
  prefix: string,
  above: string,
): Promise<void> {
  const { tx, run, before, failedOnly } = carrying;
  const own = before.filter((row) => row.key === `${prefix}${job.key}`);
  const again = (key: string): boolean => before.some((row) => row.key === `${prefix}${key}` && isBad(row));
  const whole =
    !failedOnly || ancestorsOf(job, workflow.jobs).some(again) || own.some((row) => isBad(row) && !row.instance_json);
  if (whole || own.length === 0) {
    const { name = job.key } = job;
    const placeholder = { key: `${prefix}${job.key}`, name: `${above}${name.includes("${{") ? job.key : name}` };
    await insertPlaceholder(tx, run, placeholder);
    return;
  }
  for (const row of own) {
    await tx.insertInto("workflows_jobs").values(carried(run, row)).execute();
    const called = job.call?.workflow;
    // What the call brought into being goes with it: only the jobs that went badly run again.
    if (called === undefined) continue;
    await carryScope(
      carrying,
      called,
      `${prefix}${pathInto({ key: job.key, position: row.position })}`,
      `${row.name} / `,
    );
  }
}

function isBad(row: JobRow): boolean {
  return row.conclusion === "failure" || row.conclusion === "cancelled";
}

/** The same instance: to be run again if it went badly, else with its result. */
function carried(run: RunRow, row: JobRow): Omit<JobRow, "id"> {
  const fresh = { ...newJob(run, row.key), name: row.name, position: row.position, instance_json: row.instance_json };
  if (isBad(row)) return fresh;
  const { id, ...result } = row;
  const source = row.source_job_id ?? id;
  // Claims and leases are unique and belong to the job that was run.
  return { ...result, attempt: run.attempt, source_job_id: source, claim_id: null, lease: null, token_live: 0 };
}
