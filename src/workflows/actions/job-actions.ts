/** Which actions the jobs of a run used, for whoever looks at the run. */
import type { Insertable } from "kysely";
import type { ActionAnswer } from "../protocol.ts";
import type { ActionTables } from "./schema.ts";
import type { JobRow, WorkflowsDatabase } from "../run/schema.ts";

/** An action of a job, as it was resolved. */
export interface JobActionView {
  readonly uses: string;
  readonly source: "built-in" | "local" | "remote";
  /** Of another host: which. */
  readonly host?: string;
  /** Not of built-ins, as the next two. */
  readonly repository?: string;
  /** In full; of a commit, its id. */
  readonly ref?: string;
  readonly sha?: string;
  /** The lock says so. */
  readonly locked: boolean;
}

/** Told again, nothing changes. */
export async function saveJobActions(
  db: WorkflowsDatabase,
  job: Pick<JobRow, "id" | "tries">,
  used: readonly { readonly uses: string; readonly answer: ActionAnswer }[],
): Promise<void> {
  const rows = used.flatMap(({ uses, answer }): Insertable<ActionTables["workflows_job_actions"]>[] => {
    const key = { job_id: job.id, try: job.tries, uses };
    if (answer.kind === "refused") return [];
    const none = { host: null, repository: null, ref: null, sha: null, locked: 0 };
    if (answer.kind === "built-in") return [{ ...key, source: answer.kind, ...none }];
    const { source, host = null, repository, ref, sha, lock } = answer;
    return [{ ...key, source, host, repository, ref, sha, locked: lock === undefined ? 0 : 1 }];
  });
  if (rows.length === 0) return;
  await db
    .insertInto("workflows_job_actions")
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function findJobActions(
  db: WorkflowsDatabase,
  job: Pick<JobRow, "id" | "tries">,
): Promise<readonly JobActionView[]> {
  const rows = await db
    .selectFrom("workflows_job_actions")
    .selectAll()
    .where("job_id", "=", job.id)
    .where("try", "=", job.tries)
    .orderBy("uses")
    .execute();
  return rows.map(({ uses, source, host, repository, ref, sha, locked }) => ({
    uses,
    source,
    ...(host === null ? {} : { host }),
    ...(repository === null ? {} : { repository }),
    ...(ref === null ? {} : { ref }),
    ...(sha === null ? {} : { sha }),
    locked: locked === 1,
  }));
}
