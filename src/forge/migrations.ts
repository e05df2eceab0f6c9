import type { Migration } from "#lib";

export const migrations: readonly Migration[] = [
  {
    name: "issues and pull requests",
    sql: `
CREATE TABLE forge_numbers (repository_id TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT;
CREATE TABLE forge_forks (repository_id TEXT PRIMARY KEY, parent_id TEXT NOT NULL) STRICT;
CREATE INDEX forge_forks_parent ON forge_forks (parent_id);
CREATE TABLE forge_issues (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  state_reason TEXT,
  author TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  closed_at INTEGER,
  assignees TEXT NOT NULL,
  reviewers TEXT NOT NULL,
  UNIQUE (repository_id, number)
) STRICT;
CREATE TABLE forge_pulls (
  issue_id INTEGER PRIMARY KEY REFERENCES forge_issues (id) ON DELETE CASCADE,
  base_ref TEXT NOT NULL,
  base_sha TEXT NOT NULL,
  head_repository_id TEXT NOT NULL,
  head_repository TEXT NOT NULL,
  head_ref TEXT NOT NULL,
  head_sha TEXT NOT NULL,
  test_merge_sha TEXT,
  mergeable INTEGER,
  conflicts TEXT NOT NULL,
  draft INTEGER NOT NULL,
  merged_at INTEGER,
  merged_by TEXT,
  merge_commit_sha TEXT
) STRICT;
CREATE INDEX forge_pulls_head ON forge_pulls (head_repository_id, head_ref);
CREATE INDEX forge_pulls_sha ON forge_pulls (head_sha);
CREATE TABLE forge_labels (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository_id TEXT NOT NULL,
  name TEXT NOT NULL COLLATE NOCASE,
  color TEXT NOT NULL,
  description TEXT,
  UNIQUE (repository_id, name)
) STRICT;
CREATE TABLE forge_issue_labels (
  issue_id INTEGER NOT NULL REFERENCES forge_issues (id) ON DELETE CASCADE,
  label_id INTEGER NOT NULL REFERENCES forge_labels (id) ON DELETE CASCADE,
  PRIMARY KEY (issue_id, label_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE forge_comments (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  issue_id INTEGER NOT NULL REFERENCES forge_issues (id) ON DELETE CASCADE,
  repository_id TEXT NOT NULL,
  author TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX forge_comments_issue ON forge_comments (issue_id);
CREATE INDEX forge_comments_repository ON forge_comments (repository_id);
CREATE TABLE forge_reviews (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  issue_id INTEGER NOT NULL REFERENCES forge_issues (id) ON DELETE CASCADE,
  author TEXT NOT NULL,
  state TEXT NOT NULL,
  body TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  submitted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX forge_reviews_issue ON forge_reviews (issue_id);
CREATE TABLE forge_events (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  repository_id TEXT NOT NULL,
  repository TEXT NOT NULL,
  actor TEXT NOT NULL,
  event_json TEXT NOT NULL
) STRICT;
`,
  },
  {
    name: "statuses and checks",
    sql: `
CREATE TABLE forge_statuses (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository_id TEXT NOT NULL,
  sha TEXT NOT NULL,
  context TEXT NOT NULL,
  state TEXT NOT NULL,
  description TEXT,
  target_url TEXT,
  creator TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX forge_statuses_commit ON forge_statuses (repository_id, sha);
CREATE TABLE forge_check_suites (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository_id TEXT NOT NULL,
  sha TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (repository_id, sha)
) STRICT;
CREATE TABLE forge_check_runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository_id TEXT NOT NULL,
  sha TEXT NOT NULL,
  name TEXT NOT NULL,
  status TEXT NOT NULL,
  conclusion TEXT,
  external_id TEXT NOT NULL,
  details_url TEXT,
  title TEXT,
  summary TEXT,
  text TEXT,
  creator TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  completed_at INTEGER
) STRICT;
CREATE INDEX forge_check_runs_commit ON forge_check_runs (repository_id, sha);
CREATE TABLE forge_annotations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  check_run_id INTEGER NOT NULL REFERENCES forge_check_runs (id) ON DELETE CASCADE,
  annotation_json TEXT NOT NULL
) STRICT;
CREATE INDEX forge_annotations_run ON forge_annotations (check_run_id);
`,
  },
  {
    name: "releases",
    sql: `
CREATE TABLE forge_releases (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository_id TEXT NOT NULL,
  tag TEXT NOT NULL,
  target TEXT NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  draft INTEGER NOT NULL,
  prerelease INTEGER NOT NULL,
  author TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  published_at INTEGER
) STRICT;
CREATE INDEX forge_releases_tag ON forge_releases (repository_id, tag);
CREATE TABLE forge_assets (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  release_id INTEGER NOT NULL REFERENCES forge_releases (id) ON DELETE CASCADE,
  repository_id TEXT NOT NULL,
  file TEXT NOT NULL,
  name TEXT NOT NULL,
  label TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  digest TEXT NOT NULL,
  downloads INTEGER NOT NULL,
  uploader TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  UNIQUE (release_id, name)
) STRICT;
`,
  },
  {
    name: "mirrors",
    sql: `
CREATE TABLE forge_remotes (
  repository_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  url TEXT NOT NULL,
  api_url TEXT NOT NULL,
  name TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  fetched_at INTEGER,
  problem TEXT
) STRICT;
CREATE TABLE forge_deliveries (
  repository_id TEXT NOT NULL,
  id TEXT NOT NULL,
  event TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  PRIMARY KEY (repository_id, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE forge_outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  repository_id TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  sha TEXT NOT NULL,
  status_json TEXT NOT NULL,
  tries INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  problem TEXT
) STRICT;
CREATE INDEX forge_outbox_due ON forge_outbox (due_at);
`,
  },
  {
    name: "deliveries that wait, statuses that were sent",
    sql: `
ALTER TABLE forge_deliveries ADD COLUMN body TEXT;
ALTER TABLE forge_deliveries ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE forge_outbox ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE forge_outbox ADD COLUMN sent_at INTEGER;
`,
  },
  {
    name: "deliveries that are tried again later, statuses with an age",
    sql: `
ALTER TABLE forge_deliveries ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX forge_deliveries_waiting ON forge_deliveries (repository_id, received_at) WHERE outcome = 'waiting';
ALTER TABLE forge_outbox ADD COLUMN put_at INTEGER NOT NULL DEFAULT 0;
UPDATE forge_outbox SET put_at = due_at;
`,
  },
  {
    name: "merges that were begun",
    sql: `
ALTER TABLE forge_pulls ADD COLUMN merging_sha TEXT;
ALTER TABLE forge_pulls ADD COLUMN merging_by TEXT;
`,
  },
  {
    name: "deliveries that were given up, and what each said",
    sql: `
ALTER TABLE forge_deliveries ADD COLUMN given_up INTEGER NOT NULL DEFAULT 0;
ALTER TABLE forge_deliveries ADD COLUMN digest TEXT;
CREATE INDEX forge_deliveries_digest ON forge_deliveries (repository_id, digest);
`,
  },
  {
    name: "events of an issue, with their times",
    sql: `
ALTER TABLE forge_events ADD COLUMN number INTEGER;
ALTER TABLE forge_events ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX forge_events_of ON forge_events (repository_id, number) WHERE number IS NOT NULL;
`,
  },
  {
    name: "comments that are folded away",
    sql: `
ALTER TABLE forge_comments ADD COLUMN minimized TEXT;
`,
  },
];
