/**
 * Runs are kept for some days and up to a number of each workflow, the newest one always: it says what became of the
 * workflow last, and its number goes on from there. First the rows go, then the logs: a crash in between leaves files
 * that nobody reads, and the next round removes them.
 */
import { sql } from "kysely";
import { removeDeployments } from "../environments/deployment-retention.ts";
import type { RunParts } from "./parts.ts";

export interface RetentionPolicy {
  readonly days: number;
  /** Of each workflow file. */
  readonly count: number;
}

export const defaultRetention: RetentionPolicy = { days: 90, count: 400 };

const dayMs = 86_400_000;
const everyMs = 6 * 3_600_000;
/** At once: others write, too. */
const batch = 50;

export async function runRetention(parts: RunParts, policy: RetentionPolicy, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      while ((await removeBatch(parts, policy)) === batch) signal.throwIfAborted();
      while ((await removeOldDeployments(parts, policy)) === batch) signal.throwIfAborted();
    } catch (error) {
      if (signal.aborted) return;
      parts.log.warn("Old runs were not removed, trying again in some hours", { error });
    }
    await parts.clock.sleep(everyMs, signal).catch(() => {});
  }
}

async function removeOldDeployments({ db, clock, log }: RunParts, policy: RetentionPolicy): Promise<number> {
  const removed = await removeDeployments(db, policy, clock.now().epochMilliseconds, batch);
  if (removed > 0) log.info("Old deployments removed", { deployments: removed });
  return removed;
}

/** How many runs went. */
async function removeBatch(parts: RunParts, policy: RetentionPolicy): Promise<number> {
  const runs = await expiredRuns(parts, policy);
  if (runs.length === 0) return 0;
  const jobs = await parts.db.selectFrom("workflows_jobs").select("id").where("run_id", "in", runs).execute();
  const ids = jobs.map((job) => job.id);
  await parts.db.transaction().execute(async (tx) => {
    if (ids.length > 0) await tx.deleteFrom("workflows_steps").where("job_id", "in", ids).execute();
    await tx.deleteFrom("workflows_group_members").where("run_id", "in", runs).execute();
    await tx.deleteFrom("workflows_outbox").where("run_id", "in", runs).execute();
    await tx.deleteFrom("workflows_jobs").where("run_id", "in", runs).execute();
    await tx.deleteFrom("workflows_runs").where("id", "in", runs).execute();
  });
  for (const id of ids) await parts.logs.remove(id);
  parts.log.info("Old runs removed", { runs: runs.length });
  return runs.length;
}

async function expiredRuns(parts: RunParts, { days, count }: RetentionPolicy): Promise<readonly number[]> {
  const beforeMs = parts.clock.now().epochMilliseconds - days * dayMs;
  const { rows } = await sql<{ readonly id: number }>`
    SELECT id FROM (
      SELECT id, status, completed_at,
        row_number() OVER (PARTITION BY repository, path ORDER BY id DESC) AS place
      FROM workflows_runs
    )
    WHERE status = 'completed' AND place > 1 AND (place > ${count} OR completed_at < ${beforeMs})
    ORDER BY id LIMIT ${batch}
  `.execute(parts.db);
  return rows.map((row) => row.id);
}
