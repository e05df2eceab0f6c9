/** The tables of git. */
import type { Database, Migration } from "#lib";
import type { Generated, Kysely } from "kysely";

export const migrations: readonly Migration[] = [
  {
    name: "001-repositories-and-updates",
    sql: `
CREATE TABLE git_repositories (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  default_branch TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at TEXT NOT NULL
);
CREATE TABLE git_refs (
  repository_id TEXT NOT NULL,
  ref TEXT NOT NULL,
  sha TEXT NOT NULL,
  PRIMARY KEY (repository_id, ref)
);
CREATE TABLE git_ref_intents (
  repository_id TEXT NOT NULL,
  ref TEXT NOT NULL,
  push TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  pusher TEXT NOT NULL,
  pushed_at TEXT NOT NULL,
  forced INTEGER NOT NULL,
  PRIMARY KEY (repository_id, ref)
);
CREATE TABLE git_ref_updates (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  repository_id TEXT NOT NULL,
  repository TEXT NOT NULL,
  ref TEXT NOT NULL,
  push TEXT NOT NULL,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  pusher TEXT NOT NULL,
  pushed_at TEXT NOT NULL,
  forced INTEGER NOT NULL
);
CREATE INDEX git_ref_updates_by_push ON git_ref_updates (push);
CREATE TABLE git_protections (
  repository_id TEXT NOT NULL,
  branch TEXT NOT NULL,
  allow_force_push INTEGER NOT NULL,
  allow_deletions INTEGER NOT NULL,
  require_pull_request INTEGER NOT NULL,
  PRIMARY KEY (repository_id, branch)
);
`,
  },
  {
    name: "002-required-checks",
    sql: `ALTER TABLE git_protections ADD COLUMN required_checks TEXT NOT NULL DEFAULT '[]'`,
  },
];

export interface RepositoryRow {
  readonly id: string;
  readonly name: string;
  readonly default_branch: string;
  readonly description: string;
  readonly created_at: string;
}

export interface MoveRow {
  readonly repository_id: string;
  readonly ref: string;
  /** One id for all refs that one push, or one system commit, moved. */
  readonly push: string;
  readonly before: string;
  readonly after: string;
  readonly pusher: string;
  readonly pushed_at: string;
  readonly forced: number;
}

export interface UpdateRow extends MoveRow {
  readonly sequence: Generated<number>;
  readonly repository: string;
}

export interface GitSchema {
  git_repositories: RepositoryRow;
  /** The value each ref had when its last update was recorded; no row: the ref does not exist. */
  git_refs: { readonly repository_id: string; readonly ref: string; readonly sha: string };
  git_ref_intents: MoveRow;
  git_ref_updates: UpdateRow;
  git_protections: {
    readonly repository_id: string;
    readonly branch: string;
    readonly allow_force_push: number;
    readonly allow_deletions: number;
    readonly require_pull_request: number;
    /** JSON list of names. */
    readonly required_checks: string;
  };
}

/** The one place where the shared database is seen with git's tables. */
export function gitDatabase(database: Database): Kysely<GitSchema> {
  return database;
}
