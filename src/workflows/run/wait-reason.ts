import type { WorkflowsDatabase } from "./schema.ts";

/** Whom the run, or a job of it, waits for in its concurrency group; undefined when it waits for nobody. */
export async function waitReason(
  db: WorkflowsDatabase,
  runId: number,
  jobId: number | null,
): Promise<string | undefined> {
  const own = await db
    .selectFrom("workflows_group_members")
    .selectAll()
    .where("run_id", "=", runId)
    .where("job_id", jobId === null ? "is" : "=", jobId)
    .where("state", "=", "pending")
    .executeTakeFirst();
  if (own === undefined) return undefined;
  const active = await db
    .selectFrom("workflows_group_members as member")
    .innerJoin("workflows_runs as run", "run.id", "member.run_id")
    .leftJoin("workflows_jobs as job", "job.id", "member.job_id")
    .select(["run.id", "run.number", "run.name", "job.name as job"])
    .where("member.repository", "=", own.repository)
    .where("member.name", "=", own.name)
    .where("member.state", "=", "active")
    .executeTakeFirst();
  const group = `concurrency group "${own.name}"`;
  if (active === undefined) return `Waits for its turn in ${group}`;
  const job = active.job === null ? "" : `job "${active.job}" of `;
  return `Waits for ${job}run #${active.number} of ${active.name} (id ${active.id}) in ${group}`;
}
