/** Tables of this room. */
import type { Generated, Kysely, Selectable } from "kysely";
import { migrate, type Database, type Migration } from "#lib";

/** `reserved` until its content is there and the client has said that it is all. */
type EntryState = "reserved" | "ready";

interface CachesTable {
  id: Generated<number>;
  repository: string;
  scope: string;
  key: string;
  version: string;
  blob: string;
  size: number;
  state: EntryState;
  job_id: string;
  created_at: number;
  used_at: number;
}

interface ArtifactsTable {
  id: Generated<number>;
  repository: string;
  run_id: string;
  job_id: string;
  attempt: number;
  name: string;
  blob: string;
  size: number;
  digest: string | null;
  mime_type: string;
  state: EntryState;
  created_at: number;
  expires_at: number;
}

interface ReportsTable {
  id: Generated<number>;
  repository: string;
  run_id: string;
  job_id: string;
  attempt: number;
  job: string;
  kind: "coverage" | "findings";
  name: string;
  /** Of files, or of results. */
  count: number;
  /** JSON, packed by gzip. */
  content: Uint8Array;
  created_at: number;
}

export type CacheRow = Selectable<CachesTable>;
export type ArtifactRow = Selectable<ArtifactsTable>;
export type ReportRow = Selectable<ReportsTable>;

interface ArtifactsSchema {
  artifacts_caches: CachesTable;
  artifacts_artifacts: ArtifactsTable;
  artifacts_reports: ReportsTable;
}

export type ArtifactsDatabase = Kysely<ArtifactsSchema>;

const migrations: readonly Migration[] = [
  {
    name: "caches-and-artifacts",
    sql: `
CREATE TABLE artifacts_caches (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository TEXT NOT NULL,
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  version TEXT NOT NULL,
  blob TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  state TEXT NOT NULL,
  job_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX artifacts_caches_entry ON artifacts_caches (repository, scope, version, key);
CREATE TABLE artifacts_artifacts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository TEXT NOT NULL,
  run_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  name TEXT NOT NULL,
  blob TEXT NOT NULL UNIQUE,
  size INTEGER NOT NULL,
  digest TEXT,
  mime_type TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX artifacts_artifacts_name ON artifacts_artifacts (run_id, name, attempt);
CREATE INDEX artifacts_artifacts_repository ON artifacts_artifacts (repository, id);
`,
  },
  {
    name: "reports",
    sql: `
CREATE TABLE artifacts_reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository TEXT NOT NULL,
  run_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  job TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  count INTEGER NOT NULL,
  content BLOB NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX artifacts_reports_run ON artifacts_reports (run_id, kind, id);
`,
  },
];

export async function openSchema(database: Database): Promise<ArtifactsDatabase> {
  await migrate(database, "artifacts", migrations);
  return database;
}
