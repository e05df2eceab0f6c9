/**
 * Deployments are kept as runs are: for some days, and up to a number of each environment. The newest one always, and the
 * newest that succeeded: it says what is there.
 */
import { sql } from "kysely";
import type { RetentionPolicy } from "../run/retention.ts";
import type { WorkflowsDatabase } from "../run/schema.ts";

const dayMs = 86_400_000;

/** Answers how many went, with their statuses; no more than `batch`. */
export async function removeDeployments(
  db: WorkflowsDatabase,
  { days, count }: RetentionPolicy,
  nowMs: number,
  batch: number,
): Promise<number> {
  const { rows } = await sql<{ readonly id: number }>`
    SELECT id FROM (
      SELECT id, settled, told, updated_at,
        row_number() OVER newest AS place,
        max(CASE WHEN state = 'success' THEN id END) OVER environment AS active
      FROM workflows_deployments
      WINDOW environment AS (PARTITION BY repository, environment_key),
        newest AS (PARTITION BY repository, environment_key ORDER BY id DESC)
    ) AS deployment
    WHERE settled = 1 AND told = 1 AND place > 1 AND id IS NOT active
      AND (place > ${count} OR updated_at < ${nowMs - days * dayMs})
      AND NOT EXISTS (
        SELECT 1 FROM workflows_deployment_statuses WHERE deployment_id = deployment.id AND told = 0
      )
    ORDER BY id LIMIT ${batch}
  `.execute(db);
  const ids = rows.map((row) => row.id);
  if (ids.length > 0) await db.deleteFrom("workflows_deployments").where("id", "in", ids).execute();
  return ids.length;
}
