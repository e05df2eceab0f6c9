/** What jobs used, as it was resolved for them. Times are milliseconds of the epoch. */
import type { Migration } from "#lib";

interface JobActionsTable {
  job_id: number;
  try: number;
  /** As the step says it. */
  uses: string;
  source: "built-in" | "local" | "remote";
  /** Of other hosts. */
  host: string | null;
  /** Not of built-ins. */
  repository: string | null;
  ref: string | null;
  sha: string | null;
  locked: number;
}

export interface ActionTables {
  workflows_job_actions: JobActionsTable;
}

export const actionMigration: Migration = {
  name: "actions that jobs used",
  sql: `
CREATE TABLE workflows_job_actions (
  job_id INTEGER NOT NULL REFERENCES workflows_jobs (id) ON DELETE CASCADE,
  try INTEGER NOT NULL,
  uses TEXT NOT NULL,
  source TEXT NOT NULL,
  host TEXT,
  repository TEXT,
  ref TEXT,
  sha TEXT,
  locked INTEGER NOT NULL,
  PRIMARY KEY (job_id, try, uses)
) STRICT, WITHOUT ROWID;
`,
};
