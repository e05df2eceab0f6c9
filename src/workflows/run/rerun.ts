/** A completed run started again: a new attempt with jobs of its own; what is kept is carried over as completed. */
import { WorkflowsError } from "../errors.ts";
import type { Job, Workflow } from "../parse/model.ts";
import { ancestorsOf } from "../plan/job-state.ts";
import type { RunParts } from "./parts.ts";
import { findJobs, findRun, insertPlaceholder, newJob, workflowOf, type WorkflowsTransaction } from "./run-store.ts";
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
    };
    const { id: _id, ...values } = next;
    await tx.updateTable("workflows_runs").set(values).where("id", "=", runId).execute();
    for (const job of workflow.jobs) await carryJob(tx, next, workflow, job, before, options.failedOnly === true);
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

async function carryJob(
  tx: WorkflowsTransaction,
  run: RunRow,
  workflow: Workflow,
  job: Job,
  before: readonly JobRow[],
  failedOnly: boolean,
): Promise<void> {
  const own = before.filter((row) => row.key === job.key);
  const again = (key: string): boolean => before.some((row) => row.key === key && isBad(row));
  const whole =
    !failedOnly || ancestorsOf(job, workflow.jobs).some(again) || own.some((row) => isBad(row) && !row.instance_json);
  if (whole || own.length === 0) {
    await insertPlaceholder(tx, run, job);
    return;
  }
  for (const row of own) await tx.insertInto("workflows_jobs").values(carried(run, row)).execute();
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
