/** The tables of this room. Times are milliseconds of the epoch; columns named `*_json` hold JSON. */
import type { Generated, Kysely, Selectable } from "kysely";
import { migrate, type Database, type Migration } from "#lib";
import { actionMigration, type ActionTables } from "../actions/schema.ts";
import { environmentMigration, type EnvironmentTables } from "../environments/schema.ts";
import { runnersMigration, type RunnersSchema } from "../runners/schema.ts";
import type { Conclusion, JobStatus } from "../plan/job-state.ts";

export interface RunsTable {
  id: Generated<number>;
  event_id: string;
  path: string;
  /** Counts the runs of a workflow file in a repository, from 1. */
  number: number;
  repository: string;
  name: string;
  title: string;
  event_name: string;
  ref: string;
  sha: string;
  actor: string;
  triggering_actor: string;
  payload_json: string;
  inputs_json: string;
  vars_json: string;
  repository_json: string;
  /** Null when the file could not be read: the run is then completed with its problems. */
  workflow_json: string | null;
  problems_json: string;
  /** `pending`: waits for its concurrency group. */
  status: "pending" | "queued" | "in_progress" | "completed";
  conclusion: Conclusion | null;
  attempt: number;
  cancel_requested: number;
  concurrency_group: string | null;
  cancel_in_progress: number;
  queue_mode: "single" | "max";
  created_at: number;
  started_at: number | null;
  completed_at: number | null;
  /** How many runs started each other by `workflow_run` before this one. */
  chain: Generated<number>;
  /** Why it ended without running, for people. */
  message: Generated<string | null>;
}

interface JobsTable {
  id: Generated<number>;
  run_id: number;
  attempt: number;
  key: string;
  /** Place among the instances of the key; with run, attempt and key unique, so that none is made twice. */
  position: number;
  name: string;
  status: JobStatus;
  conclusion: Conclusion | null;
  instance_json: string | null;
  outputs_json: string;
  annotations_json: string;
  summary: string;
  message: string | null;
  cancel_requested: number;
  tries: number;
  runner_id: string | null;
  runner_name: string | null;
  claim_id: string | null;
  lease: string | null;
  /** 1 from before a token is minted until it is revoked. */
  token_live: number;
  /** The job of an earlier attempt whose result this one carries on. */
  source_job_id: number | null;
  queued_at: number | null;
  started_at: number | null;
  completed_at: number | null;
  /** Where what it deployed is seen. */
  environment_url: Generated<string | null>;
}

interface StepsTable {
  job_id: number;
  try: number;
  revision: number;
  steps_json: string;
}

interface EventsTable {
  id: string;
  accepted_at: number;
}

/**
 * Who holds a concurrency group of a repository, or waits for it, in the order of joining. A member whose run or job has
 * completed no longer counts and is removed when the group is looked at next.
 */
interface GroupMembersTable {
  id: Generated<number>;
  repository: string;
  name: string;
  run_id: number;
  /** Null for the run as a whole. */
  job_id: number | null;
  state: "pending" | "active";
  cancel_in_progress: number;
  queue_mode: "single" | "max";
}

/** What happened to a run and is still to be told to workflows that begin by `workflow_run`. */
interface OutboxTable {
  id: Generated<number>;
  run_id: number;
  attempt: number;
  action: "requested" | "in_progress" | "completed";
}

/** Runs of whose file nobody has said yet what there is to say. */
interface RemarksDueTable {
  run_id: number;
}

/** Of the default branch of each repository. */
interface SchedulesTable {
  repository: string;
  path: string;
  name: string;
  cron: string;
  timezone: string;
  next_at: number;
}

/** Workflows that somebody switched off. */
interface DisabledTable {
  repository: string;
  path: string;
  actor: string;
  disabled_at: number;
}

/** Repositories whose workflows those of other owners may call. */
interface SharedTable {
  repository: string;
  actor: string;
  shared_at: number;
}

export interface WorkflowsSchema extends ActionTables, EnvironmentTables, RunnersSchema {
  workflows_shared: SharedTable;
  workflows_group_members: GroupMembersTable;
  workflows_outbox: OutboxTable;
  workflows_remarks_due: RemarksDueTable;
  workflows_schedules: SchedulesTable;
  workflows_disabled: DisabledTable;
  workflows_events: EventsTable;
  workflows_runs: RunsTable;
  workflows_jobs: JobsTable;
  workflows_steps: StepsTable;
}

export type WorkflowsDatabase = Kysely<WorkflowsSchema>;
export type RunRow = Selectable<RunsTable>;
export type JobRow = Selectable<JobsTable>;
export type GroupMemberRow = Selectable<GroupMembersTable>;
export type ScheduleRow = Selectable<SchedulesTable>;

const migrations: readonly Migration[] = [
  {
    name: "runs, jobs and steps",
    sql: `
CREATE TABLE workflows_events (id TEXT PRIMARY KEY, accepted_at INTEGER NOT NULL) STRICT;
CREATE TABLE workflows_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT NOT NULL,
  path TEXT NOT NULL,
  number INTEGER NOT NULL,
  repository TEXT NOT NULL,
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  event_name TEXT NOT NULL,
  ref TEXT NOT NULL,
  sha TEXT NOT NULL,
  actor TEXT NOT NULL,
  triggering_actor TEXT NOT NULL,
  payload_json TEXT NOT NULL,
  inputs_json TEXT NOT NULL,
  vars_json TEXT NOT NULL,
  repository_json TEXT NOT NULL,
  workflow_json TEXT,
  problems_json TEXT NOT NULL,
  status TEXT NOT NULL,
  conclusion TEXT,
  attempt INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL,
  concurrency_group TEXT,
  cancel_in_progress INTEGER NOT NULL,
  queue_mode TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  completed_at INTEGER,
  UNIQUE (event_id, path)
) STRICT;
CREATE INDEX workflows_runs_status ON workflows_runs (status);
CREATE INDEX workflows_runs_repository ON workflows_runs (repository, path, number);
CREATE INDEX workflows_runs_sha ON workflows_runs (sha);
CREATE INDEX workflows_runs_group ON workflows_runs (repository, concurrency_group);
CREATE TABLE workflows_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES workflows_runs (id),
  attempt INTEGER NOT NULL,
  key TEXT NOT NULL,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  conclusion TEXT,
  instance_json TEXT,
  outputs_json TEXT NOT NULL,
  annotations_json TEXT NOT NULL,
  summary TEXT NOT NULL,
  message TEXT,
  cancel_requested INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  runner_id TEXT,
  runner_name TEXT,
  claim_id TEXT UNIQUE,
  lease TEXT UNIQUE,
  token_live INTEGER NOT NULL,
  source_job_id INTEGER,
  queued_at INTEGER,
  started_at INTEGER,
  completed_at INTEGER,
  UNIQUE (run_id, attempt, key, position)
) STRICT;
CREATE INDEX workflows_jobs_status ON workflows_jobs (status);
CREATE INDEX workflows_jobs_token ON workflows_jobs (id) WHERE token_live = 1;
CREATE TABLE workflows_steps (
  job_id INTEGER NOT NULL REFERENCES workflows_jobs (id),
  try INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  steps_json TEXT NOT NULL,
  PRIMARY KEY (job_id, try)
) STRICT, WITHOUT ROWID;
`,
  },
  {
    name: "groups of jobs, follow-ups, schedules, disabled workflows",
    sql: `
ALTER TABLE workflows_runs ADD COLUMN chain INTEGER NOT NULL DEFAULT 0;
ALTER TABLE workflows_runs ADD COLUMN message TEXT;
CREATE TABLE workflows_group_members (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository TEXT NOT NULL,
  name TEXT NOT NULL,
  run_id INTEGER NOT NULL REFERENCES workflows_runs (id) ON DELETE CASCADE,
  job_id INTEGER REFERENCES workflows_jobs (id) ON DELETE CASCADE,
  state TEXT NOT NULL,
  cancel_in_progress INTEGER NOT NULL,
  queue_mode TEXT NOT NULL
) STRICT;
CREATE INDEX workflows_group_members_group ON workflows_group_members (repository, name);
CREATE INDEX workflows_group_members_run ON workflows_group_members (run_id);
INSERT INTO workflows_group_members (repository, name, run_id, job_id, state, cancel_in_progress, queue_mode)
  SELECT repository, concurrency_group, id, NULL, CASE status WHEN 'pending' THEN 'pending' ELSE 'active' END,
    cancel_in_progress, queue_mode
  FROM workflows_runs WHERE status != 'completed' AND concurrency_group IS NOT NULL ORDER BY id;
CREATE TABLE workflows_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  run_id INTEGER NOT NULL REFERENCES workflows_runs (id) ON DELETE CASCADE,
  attempt INTEGER NOT NULL,
  action TEXT NOT NULL
) STRICT;
CREATE TABLE workflows_schedules (
  repository TEXT NOT NULL,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  cron TEXT NOT NULL,
  timezone TEXT NOT NULL,
  next_at INTEGER NOT NULL,
  PRIMARY KEY (repository, path, cron, timezone)
) STRICT, WITHOUT ROWID;
CREATE INDEX workflows_schedules_next ON workflows_schedules (next_at);
CREATE TABLE workflows_shared (
  repository TEXT PRIMARY KEY,
  actor TEXT NOT NULL,
  shared_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE workflows_disabled (
  repository TEXT NOT NULL,
  path TEXT NOT NULL,
  actor TEXT NOT NULL,
  disabled_at INTEGER NOT NULL,
  PRIMARY KEY (repository, path)
) STRICT, WITHOUT ROWID;
`,
  },
  {
    name: "addresses of environments",
    sql: "ALTER TABLE workflows_jobs ADD COLUMN environment_url TEXT",
  },
  environmentMigration,
  actionMigration,
  runnersMigration,
  {
    name: "jobs in the order in which they wait",
    sql: "DROP INDEX workflows_jobs_status;\nCREATE INDEX workflows_jobs_queue ON workflows_jobs (status, queued_at)",
  },
  {
    name: "runs whose files are still to be looked at",
    sql: `
CREATE TABLE workflows_remarks_due (
  run_id INTEGER PRIMARY KEY REFERENCES workflows_runs (id) ON DELETE CASCADE
) STRICT;
`,
  },
];

export async function openTables(database: Database): Promise<WorkflowsDatabase> {
  await migrate(database, "workflows", migrations);
  return database;
}
