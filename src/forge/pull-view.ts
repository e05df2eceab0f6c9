/** A pull request as others see it. */
import { issueView, type IssueView } from "./issue-rows.ts";
import type { ForgeTransaction, IssueRow, PullRow } from "./schema.ts";

export interface PullView extends Omit<IssueView, "kind" | "stateReason"> {
  readonly draft: boolean;
  readonly base: { readonly ref: string; readonly sha: string };
  readonly head: {
    readonly ref: string;
    readonly sha: string;
    /** `owner/name`; another repository than the pull request's own is a fork. */
    readonly repository: string;
    readonly repositoryId: string;
  };
  /** The head lies in the repository of the pull request: whoever made it may push there. */
  readonly sameRepository: boolean;
  /** Null once it is closed, and where the two have nothing in common. */
  readonly mergeable: boolean | null;
  /** Where the two cannot be brought together. */
  readonly conflicts: readonly string[];
  /** The commit that merging would give, at `refs/pull/<number>/merge`. */
  readonly testMergeSha: string | null;
  readonly mergedAt: number | null;
  readonly mergedBy: string | null;
  readonly mergeCommitSha: string | null;
  readonly reviewers: readonly string[];
}

/** Undefined for an issue that is no pull request. */
export async function pullView(tx: ForgeTransaction, issue: IssueRow): Promise<PullView | undefined> {
  const row = await pullRow(tx, issue.id);
  if (row === undefined) return undefined;
  const { kind: _kind, stateReason: _reason, ...view } = await issueView(tx, issue);
  return {
    ...view,
    draft: row.draft === 1,
    base: { ref: row.base_ref, sha: row.base_sha },
    head: {
      ref: row.head_ref,
      sha: row.head_sha,
      repository: row.head_repository,
      repositoryId: row.head_repository_id,
    },
    sameRepository: row.head_repository_id === issue.repository_id,
    mergeable: row.mergeable === null ? null : row.mergeable === 1,
    conflicts: JSON.parse(row.conflicts) as string[],
    testMergeSha: row.test_merge_sha,
    mergedAt: row.merged_at,
    mergedBy: row.merged_by,
    mergeCommitSha: row.merge_commit_sha,
    reviewers: JSON.parse(issue.reviewers) as string[],
  };
}

async function pullRow(tx: ForgeTransaction, issueId: number): Promise<PullRow | undefined> {
  return await tx.selectFrom("forge_pulls").selectAll().where("issue_id", "=", issueId).executeTakeFirst();
}
