/** Pull requests, issues, comments and reviews as GitHub shows them, in answers and in the events that workflows get. */
import type { CommentView, IssueView, LabelView, PullView, ReviewView } from "#forge";
import { apiUrl, type CommitPlace } from "./commit-shape.ts";
import { isoTime, nodeId, optionalTime, userShape } from "./people.ts";
import type { RepositoryShape } from "./repository-shape.ts";

export interface PullRepositories {
  readonly base: RepositoryShape;
  /** Null: the fork is gone. */
  readonly head: RepositoryShape | null;
}

/** What lists have; the page of one has more (`pullDetail`). */
export function pullShape(pull: PullView, { base, head }: PullRepositories, place: CommitPlace) {
  const url = `${apiUrl(place)}/pulls/${pull.number}`;
  const issue = `${apiUrl(place)}/issues/${pull.number}`;
  const html = `${place.serverUrl}/${place.repository}/pull/${pull.number}`;
  const user = (name: string): ReturnType<typeof userShape> => userShape(name, place.serverUrl);
  const owner = pull.head.repository.split("/")[0] ?? "";
  const baseOwner = place.repository.split("/")[0] ?? "";
  const statuses = `${apiUrl(place)}/statuses/${pull.head.sha}`;
  return {
    url,
    id: pull.id,
    node_id: nodeId("PullRequest", pull.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: issue,
    number: pull.number,
    state: pull.state,
    locked: false,
    active_lock_reason: null,
    title: pull.title,
    user: user(pull.author),
    body: pull.body === "" ? null : pull.body,
    labels: pull.labels.map((label) => labelShape(label, place)),
    milestone: null,
    assignee: pull.assignees[0] === undefined ? null : user(pull.assignees[0]),
    assignees: pull.assignees.map(user),
    requested_reviewers: pull.reviewers.map(user),
    requested_teams: [] as unknown[],
    created_at: isoTime(pull.createdAt),
    updated_at: isoTime(pull.updatedAt),
    closed_at: optionalTime(pull.closedAt),
    merged_at: optionalTime(pull.mergedAt),
    merge_commit_sha: pull.mergeCommitSha ?? pull.testMergeSha,
    draft: pull.draft,
    head: { label: `${owner}:${pull.head.ref}`, ref: pull.head.ref, sha: pull.head.sha, user: user(owner), repo: head },
    base: {
      label: `${baseOwner}:${pull.base.ref}`,
      ref: pull.base.ref,
      sha: pull.base.sha,
      user: user(baseOwner),
      repo: base,
    },
    author_association: pull.sameRepository ? "MEMBER" : "CONTRIBUTOR",
    auto_merge: null,
    commits_url: `${url}/commits`,
    review_comments_url: `${url}/comments`,
    comments_url: `${issue}/comments`,
    statuses_url: statuses,
    _links: {
      self: { href: url },
      html: { href: html },
      issue: { href: issue },
      comments: { href: `${issue}/comments` },
      commits: { href: `${url}/commits` },
      statuses: { href: statuses },
    },
  };
}

export interface PullSize {
  readonly commits: number;
  readonly additions: number;
  readonly deletions: number;
  readonly changedFiles: number;
}

export function pullDetail(pull: PullView, repositories: PullRepositories, size: PullSize, place: CommitPlace) {
  return {
    ...pullShape(pull, repositories, place),
    merged: pull.mergedAt !== null,
    mergeable: pull.state === "open" ? (pull.mergeable ?? false) : null,
    rebaseable: pull.state === "open" ? pull.mergeable === true : null,
    mergeable_state: mergeableState(pull),
    merged_by: pull.mergedBy === null ? null : userShape(pull.mergedBy, place.serverUrl),
    comments: pull.comments,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: size.commits,
    additions: size.additions,
    deletions: size.deletions,
    changed_files: size.changedFiles,
  };
}

function mergeableState(pull: PullView): string {
  if (pull.state === "closed") return "unknown";
  if (pull.draft) return "draft";
  return pull.mergeable === true ? "clean" : "dirty";
}

export function labelShape(label: LabelView, place: CommitPlace) {
  return {
    id: label.id,
    node_id: nodeId("Label", label.id),
    url: `${apiUrl(place)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: false,
    description: label.description,
  };
}

export function issueShape(issue: IssueView, place: CommitPlace) {
  const url = `${apiUrl(place)}/issues/${issue.number}`;
  const page = issue.kind === "pull" ? "pull" : "issues";
  const html = `${place.serverUrl}/${place.repository}/${page}/${issue.number}`;
  const user = (name: string): ReturnType<typeof userShape> => userShape(name, place.serverUrl);
  const pull = `${apiUrl(place)}/pulls/${issue.number}`;
  return {
    url,
    repository_url: apiUrl(place),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: html,
    id: issue.id,
    node_id: nodeId("Issue", issue.id),
    number: issue.number,
    title: issue.title,
    user: user(issue.author),
    labels: issue.labels.map((label) => labelShape(label, place)),
    state: issue.state,
    state_reason: issue.stateReason,
    locked: false,
    assignee: issue.assignees[0] === undefined ? null : user(issue.assignees[0]),
    assignees: issue.assignees.map(user),
    milestone: null,
    comments: issue.comments,
    created_at: isoTime(issue.createdAt),
    updated_at: isoTime(issue.updatedAt),
    closed_at: optionalTime(issue.closedAt),
    author_association: "MEMBER",
    active_lock_reason: null,
    body: issue.body === "" ? null : issue.body,
    ...(issue.kind === "pull"
      ? { pull_request: { url: pull, html_url: html, diff_url: `${html}.diff`, patch_url: `${html}.patch` } }
      : {}),
  };
}

export function commentShape(comment: CommentView, place: CommitPlace) {
  const issue = `${apiUrl(place)}/issues/${comment.number}`;
  return {
    id: comment.id,
    node_id: nodeId("IssueComment", comment.id),
    url: `${apiUrl(place)}/issues/comments/${comment.id}`,
    html_url: `${place.serverUrl}/${place.repository}/issues/${comment.number}#issuecomment-${comment.id}`,
    issue_url: issue,
    body: comment.body,
    user: userShape(comment.author, place.serverUrl),
    created_at: isoTime(comment.createdAt),
    updated_at: isoTime(comment.updatedAt),
    author_association: "MEMBER",
    performed_via_github_app: null,
  };
}

export function reviewShape(review: ReviewView, number: number, place: CommitPlace) {
  const pull = `${apiUrl(place)}/pulls/${number}`;
  return {
    id: review.id,
    node_id: nodeId("PullRequestReview", review.id),
    user: userShape(review.author, place.serverUrl),
    body: review.body,
    state: review.state,
    html_url: `${place.serverUrl}/${place.repository}/pull/${number}#pullrequestreview-${review.id}`,
    pull_request_url: pull,
    submitted_at: isoTime(review.submittedAt),
    commit_id: review.commitId,
    author_association: "MEMBER",
  };
}
