/** The tables of the forge. Everything of a repository hangs on its id, which is never used again. */
import { migrate, type Database } from "#lib";
import type { Generated, Kysely, Selectable, Transaction } from "kysely";
import { migrations } from "./migrations.ts";

interface IssuesTable {
  id: Generated<number>;
  repository_id: string;
  number: number;
  kind: "issue" | "pull";
  title: string;
  body: string;
  state: "open" | "closed";
  state_reason: string | null;
  author: string;
  created_at: number;
  updated_at: number;
  closed_at: number | null;
  /** JSON lists of logins. */
  assignees: string;
  reviewers: string;
}

interface PullsTable {
  issue_id: number;
  base_ref: string;
  base_sha: string;
  head_repository_id: string;
  /** By its name, for when it is gone. */
  head_repository: string;
  head_ref: string;
  head_sha: string;
  /** The commit that merging would give; null while the two cannot be merged. */
  test_merge_sha: string | null;
  mergeable: number | null;
  /** JSON list of paths. */
  conflicts: string;
  draft: number;
  merged_at: number | null;
  merged_by: string | null;
  merge_commit_sha: string | null;
  /** What the base is about to move to: found there, the pull request is merged, whatever a crash kept from being written. */
  merging_sha: Generated<string | null>;
  merging_by: Generated<string | null>;
}

interface StatusesTable {
  id: Generated<number>;
  repository_id: string;
  sha: string;
  context: string;
  state: "error" | "failure" | "pending" | "success";
  description: string | null;
  target_url: string | null;
  creator: string;
  created_at: number;
}

interface CheckRunsTable {
  id: Generated<number>;
  repository_id: string;
  sha: string;
  name: string;
  status: string;
  conclusion: string | null;
  external_id: string;
  details_url: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  creator: string;
  created_at: number;
  started_at: number;
  completed_at: number | null;
}

interface AnnotationsTable {
  id: Generated<number>;
  check_run_id: number;
  annotation_json: string;
}

interface LabelsTable {
  id: Generated<number>;
  repository_id: string;
  name: string;
  color: string;
  description: string | null;
}

interface CommentsTable {
  id: Generated<number>;
  issue_id: number;
  repository_id: string;
  author: string;
  body: string;
  created_at: number;
  updated_at: number;
  /** Why it is folded away: `outdated`. */
  minimized: Generated<string | null>;
}

interface ReviewsTable {
  id: Generated<number>;
  issue_id: number;
  author: string;
  state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "PENDING" | "DISMISSED";
  body: string;
  commit_id: string;
  submitted_at: number;
}

interface ReleasesTable {
  id: Generated<number>;
  repository_id: string;
  tag: string;
  target: string;
  name: string;
  body: string;
  draft: number;
  prerelease: number;
  author: string;
  created_at: number;
  published_at: number | null;
}

interface AssetsTable {
  id: Generated<number>;
  release_id: number;
  repository_id: string;
  /** Name of its file in the folder of assets. */
  file: string;
  name: string;
  label: string;
  content_type: string;
  size: number;
  digest: string;
  downloads: number;
  uploader: string;
  created_at: number;
}

interface EventsTable {
  sequence: Generated<number>;
  repository_id: string;
  repository: string;
  actor: string;
  event_json: string;
  /** Of the issue or pull request it is about. */
  number: Generated<number | null>;
  at: Generated<number>;
}

interface RemotesTable {
  repository_id: string;
  kind: "github" | "forgejo" | "gitea";
  url: string;
  api_url: string;
  /** `owner/name` over there. */
  name: string;
  added_at: number;
  fetched_at: number | null;
  problem: string | null;
}

interface DeliveriesTable {
  repository_id: string;
  /** As the sender numbers it. */
  id: string;
  event: string;
  received_at: number;
  /** `waiting` until what it asks for is done. */
  outcome: string;
  /** Kept only while it waits. */
  body: string | null;
  tries: Generated<number>;
  /** Not tried before then. */
  due_at: Generated<number>;
  /** 1: what it asks for could not be done. It may be told again. */
  given_up: Generated<number>;
  /** Of event and body; null where the same may be said twice. */
  digest: Generated<string | null>;
}

interface OutboxTable {
  id: Generated<number>;
  repository_id: string;
  /** What makes telling it twice harmless. */
  key: string;
  sha: string;
  status_json: string;
  tries: number;
  due_at: number;
  problem: string | null;
  /** Commit and context: a newer word about the same takes the place of an older one that was not sent. */
  subject: string;
  sent_at: number | null;
  put_at: Generated<number>;
}

export interface ForgeSchema {
  forge_numbers: { repository_id: string; next: number };
  forge_forks: { repository_id: string; parent_id: string };
  forge_issues: IssuesTable;
  forge_pulls: PullsTable;
  forge_labels: LabelsTable;
  forge_issue_labels: { issue_id: number; label_id: number };
  forge_comments: CommentsTable;
  forge_reviews: ReviewsTable;
  forge_statuses: StatusesTable;
  forge_check_suites: { id: Generated<number>; repository_id: string; sha: string; created_at: number };
  forge_check_runs: CheckRunsTable;
  forge_annotations: AnnotationsTable;
  forge_releases: ReleasesTable;
  forge_assets: AssetsTable;
  forge_events: EventsTable;
  forge_remotes: RemotesTable;
  forge_deliveries: DeliveriesTable;
  forge_outbox: OutboxTable;
}

export type ForgeDatabase = Kysely<ForgeSchema>;
export type ForgeTransaction = Transaction<ForgeSchema>;
export type IssueRow = Selectable<IssuesTable>;
export type PullRow = Selectable<PullsTable>;
export type StatusRow = Selectable<StatusesTable>;
export type CheckRunRow = Selectable<CheckRunsTable>;
export type LabelRow = Selectable<LabelsTable>;
export type CommentRow = Selectable<CommentsTable>;
export type ReviewRow = Selectable<ReviewsTable>;
export type ReleaseRow = Selectable<ReleasesTable>;
export type RemoteRow = Selectable<RemotesTable>;
export type DeliveryRow = Selectable<DeliveriesTable>;
export type OutboxRow = Selectable<OutboxTable>;
export type AssetRow = Selectable<AssetsTable>;

export async function openTables(database: Database): Promise<ForgeDatabase> {
  await migrate(database, "forge", migrations);
  return database;
}
