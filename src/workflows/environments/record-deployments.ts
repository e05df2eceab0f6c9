/**
 * Statuses of deployments follow from the jobs that deploy: whatever moved a job, the next look writes what is missing.
 * So no path by which a job ends can forget its deployment, and a crash in between is made up for at the start.
 */
import { sql } from "kysely";
import type { DeploymentState } from "#api";
import { deploymentState } from "../plan/deployment-state.ts";
import type { JobRow, RunRow, WorkflowsDatabase } from "../run/schema.ts";
import type { DeploymentRow } from "./schema.ts";

type Job = Pick<JobRow, "status" | "conclusion" | "environment_url" | "message">;

/** Runs whose deployments may lack a status. */
export async function unsettledRuns(db: WorkflowsDatabase): Promise<readonly number[]> {
  const rows = await db
    .selectFrom("workflows_deployments")
    .select("run_id")
    .distinct()
    .where("settled", "=", 0)
    .where("run_id", "is not", null)
    .execute();
  return rows.flatMap(({ run_id }) => run_id ?? []);
}

/** Safe to call at any time, any number of times. */
export async function recordDeployments(db: WorkflowsDatabase, run: Pick<RunRow, "id">, nowMs: number): Promise<void> {
  const open = await db
    .selectFrom("workflows_deployments")
    .selectAll()
    .where("run_id", "=", run.id)
    // A literal, so that the index of those that are open serves.
    .where("settled", "=", sql.lit(0))
    .orderBy("id")
    .execute();
  for (const deployment of open) {
    await db.transaction().execute(async (tx) => await recordOne(tx, deployment, nowMs));
  }
}

async function recordOne(tx: WorkflowsDatabase, deployment: DeploymentRow, nowMs: number): Promise<void> {
  const job = await tx
    .selectFrom("workflows_jobs")
    .select(["status", "conclusion", "environment_url", "message"])
    .where("id", "=", deployment.job_id)
    .executeTakeFirst();
  const state = job === undefined ? "error" : deploymentState(job.status, job.conclusion);
  const settled = job === undefined || job.status === "completed";
  if (state === deployment.state && !settled) return;
  const url = job?.environment_url ?? null;
  await insertStatus(tx, deployment, {
    state,
    creator: deployment.creator,
    description: describe(job),
    environment_url: url,
    log_url: null,
    told: 1,
    created_at: nowMs,
  });
  if (settled) {
    await tx.updateTable("workflows_deployments").set({ settled: 1 }).where("id", "=", deployment.id).execute();
  }
  if (state === "success") await retireOthers(tx, deployment, nowMs);
}

/** GitHub allows 140 characters. */
const longestDescription = 140;

function describe(job: Job | undefined): string {
  if (job === undefined) return "The run is gone";
  return job.status === "completed" && job.conclusion !== "success"
    ? (job.message ?? "").slice(0, longestDescription)
    : "";
}

export interface NewStatus {
  readonly state: DeploymentState;
  readonly creator: string;
  readonly description: string;
  readonly environment_url: string | null;
  readonly log_url: string | null;
  readonly told: number;
  readonly created_at: number;
}

export async function insertStatus(
  tx: WorkflowsDatabase,
  deployment: Pick<DeploymentRow, "id">,
  status: NewStatus,
): Promise<number> {
  const { insertId } = await tx
    .insertInto("workflows_deployment_statuses")
    .values({ deployment_id: deployment.id, ...status })
    .executeTakeFirstOrThrow();
  await tx
    .updateTable("workflows_deployments")
    .set({
      state: status.state,
      updated_at: status.created_at,
      ...(status.environment_url === null ? {} : { environment_url: status.environment_url }),
    })
    .where("id", "=", deployment.id)
    .execute();
  return Number(insertId);
}

/** What is replaced is no longer active. */
export async function retireOthers(tx: WorkflowsDatabase, deployment: DeploymentRow, nowMs: number): Promise<void> {
  const others = await tx
    .selectFrom("workflows_deployments")
    .select(["id", "creator"])
    .where("repository", "=", deployment.repository)
    .where("environment_key", "=", deployment.environment_key)
    .where("state", "=", "success")
    .where("transient", "=", 0)
    .where("id", "<", deployment.id)
    .execute();
  for (const other of others) {
    await insertStatus(tx, other, {
      state: "inactive",
      creator: other.creator,
      description: `Replaced by deployment ${deployment.id}`,
      environment_url: null,
      log_url: null,
      // An inactive deployment starts no workflow.
      told: 1,
      created_at: nowMs,
    });
  }
}
