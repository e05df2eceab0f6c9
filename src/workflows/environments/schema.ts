/** Tables of environments, gates, reviews and deployments. Times are milliseconds of the epoch. */
import type { Generated, Selectable } from "kysely";
import type { DeploymentState } from "#api";
import type { Migration } from "#lib";

interface EnvironmentsTable {
  id: Generated<number>;
  repository: string;
  name: string;
  /** The name in lower case: with the repository unique. */
  key: string;
  /** `EnvironmentSettings` as JSON. */
  settings_json: string;
  created_at: number;
  updated_at: number;
  updated_by: string;
}

/** A job that came to the gate of its environment, waiting or through. */
interface GatesTable {
  job_id: number;
  run_id: number;
  repository: string;
  environment: string;
  opened_at: number;
  review_id: number | null;
}

interface ReviewsTable {
  id: Generated<number>;
  run_id: number;
  attempt: number;
  environment: string;
  /** Names of the jobs. */
  jobs_json: string;
  state: "approved" | "rejected";
  actor: string;
  comment: string;
  forced: number;
  at: number;
}

/** Stays when its run is removed, and goes by the same measure. */
interface DeploymentsTable {
  id: Generated<number>;
  repository: string;
  environment: string;
  environment_key: string;
  ref: string;
  sha: string;
  task: string;
  description: string;
  payload_json: string;
  transient: number;
  production: number;
  creator: string;
  run_id: number | null;
  job_id: number | null;
  /** Of the newest status. */
  state: DeploymentState;
  environment_url: string | null;
  /** 1 when the job has ended, or there is none: no further status comes by itself. */
  settled: number;
  /** 0 while workflows are still to hear of it. */
  told: number;
  created_at: number;
  updated_at: number;
}

interface DeploymentStatusesTable {
  id: Generated<number>;
  deployment_id: number;
  state: DeploymentState;
  creator: string;
  description: string;
  environment_url: string | null;
  log_url: string | null;
  told: number;
  created_at: number;
}

export interface EnvironmentTables {
  workflows_environments: EnvironmentsTable;
  workflows_gates: GatesTable;
  workflows_reviews: ReviewsTable;
  workflows_deployments: DeploymentsTable;
  workflows_deployment_statuses: DeploymentStatusesTable;
}

export type EnvironmentRow = Selectable<EnvironmentsTable>;
export type ReviewRow = Selectable<ReviewsTable>;
export type DeploymentRow = Selectable<DeploymentsTable>;
export type DeploymentStatusRow = Selectable<DeploymentStatusesTable>;

export const environmentMigration: Migration = {
  name: "environments, gates, reviews and deployments",
  sql: `
CREATE TABLE workflows_environments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository TEXT NOT NULL,
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  settings_json TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  UNIQUE (repository, key)
) STRICT;
CREATE TABLE workflows_reviews (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES workflows_runs (id) ON DELETE CASCADE,
  attempt INTEGER NOT NULL,
  environment TEXT NOT NULL,
  jobs_json TEXT NOT NULL,
  state TEXT NOT NULL,
  actor TEXT NOT NULL,
  comment TEXT NOT NULL,
  forced INTEGER NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX workflows_reviews_run ON workflows_reviews (run_id);
CREATE TABLE workflows_gates (
  job_id INTEGER PRIMARY KEY REFERENCES workflows_jobs (id) ON DELETE CASCADE,
  run_id INTEGER NOT NULL,
  repository TEXT NOT NULL,
  environment TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  review_id INTEGER REFERENCES workflows_reviews (id) ON DELETE SET NULL
) STRICT;
CREATE INDEX workflows_gates_run ON workflows_gates (run_id);
CREATE INDEX workflows_gates_review ON workflows_gates (review_id);
CREATE TABLE workflows_deployments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository TEXT NOT NULL,
  environment TEXT NOT NULL,
  environment_key TEXT NOT NULL,
  ref TEXT NOT NULL,
  sha TEXT NOT NULL,
  task TEXT NOT NULL,
  description TEXT NOT NULL,
  payload_json TEXT NOT NULL,
  transient INTEGER NOT NULL,
  production INTEGER NOT NULL,
  creator TEXT NOT NULL,
  run_id INTEGER,
  job_id INTEGER UNIQUE,
  state TEXT NOT NULL,
  environment_url TEXT,
  settled INTEGER NOT NULL,
  told INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX workflows_deployments_place ON workflows_deployments (repository, environment_key, id);
CREATE INDEX workflows_deployments_open ON workflows_deployments (run_id) WHERE settled = 0;
CREATE INDEX workflows_deployments_untold ON workflows_deployments (id) WHERE told = 0;
CREATE TABLE workflows_deployment_statuses (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  deployment_id INTEGER NOT NULL REFERENCES workflows_deployments (id) ON DELETE CASCADE,
  state TEXT NOT NULL,
  creator TEXT NOT NULL,
  description TEXT NOT NULL,
  environment_url TEXT,
  log_url TEXT,
  told INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX workflows_deployment_statuses_of ON workflows_deployment_statuses (deployment_id, id);
CREATE INDEX workflows_deployment_statuses_untold ON workflows_deployment_statuses (id) WHERE told = 0;
`,
};
