/** The tables of runners on other machines: who they are, who may become one, and whose jobs each group takes. */
import type { Selectable } from "kysely";
import type { Migration } from "#lib";

interface RunnersTable {
  id: string;
  name: string;
  labels_json: string;
  runner_group: string;
  ephemeral: number;
  /** SHA-256 of its token. */
  token_hash: string;
  /** The claim that an ephemeral runner took its one job by. */
  spent_claim: string | null;
  created_at: number;
  last_seen_at: number | null;
}

/** Each lets one runner register itself, once. */
interface RegistrationsTable {
  token_hash: string;
  runner_group: string;
  expires_at: number;
}

/** Groups that take jobs of some repositories only; those that are not here take jobs of all. */
interface RunnerGroupsTable {
  /** Lower case. */
  key: string;
  name: string;
  repositories_json: string;
}

export interface RunnersSchema {
  workflows_runners: RunnersTable;
  workflows_runner_registrations: RegistrationsTable;
  workflows_runner_groups: RunnerGroupsTable;
}

export type RunnerRow = Selectable<RunnersTable>;

export const runnersMigration: Migration = {
  name: "runners on other machines",
  sql: `
CREATE TABLE workflows_runners (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  labels_json TEXT NOT NULL,
  runner_group TEXT NOT NULL,
  ephemeral INTEGER NOT NULL,
  token_hash TEXT NOT NULL UNIQUE,
  spent_claim TEXT,
  created_at INTEGER NOT NULL,
  last_seen_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE workflows_runner_registrations (
  token_hash TEXT PRIMARY KEY,
  runner_group TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE workflows_runner_groups (
  key TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  repositories_json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`,
};
