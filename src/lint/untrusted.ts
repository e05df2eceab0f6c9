/** Values that a stranger can choose: by the title of an issue, the name of a branch, the text of a commit. */

/** Paths in lower case; a `*` stands for one segment. As published by GitHub's security lab and by `actionlint`. */
const chosenByAnyone = [
  "github.event.issue.title",
  "github.event.issue.body",
  "github.event.pull_request.title",
  "github.event.pull_request.body",
  "github.event.pull_request.head.ref",
  "github.event.pull_request.head.label",
  "github.event.pull_request.head.repo.default_branch",
  "github.event.comment.body",
  "github.event.review.body",
  "github.event.review_comment.body",
  "github.event.pages.*.page_name",
  "github.event.commits.*.message",
  "github.event.commits.*.author.email",
  "github.event.commits.*.author.name",
  "github.event.head_commit.message",
  "github.event.head_commit.author.email",
  "github.event.head_commit.author.name",
  "github.event.discussion.title",
  "github.event.discussion.body",
  "github.event.workflow_run.head_branch",
  "github.event.workflow_run.head_commit.message",
  "github.event.workflow_run.head_commit.author.email",
  "github.event.workflow_run.head_commit.author.name",
  "github.head_ref",
].map((path) => path.split("."));

/** Chosen by those who may push or start runs: a branch may be called `$(id)`, an input may be anything. */
const chosenByMembers = [
  "github.ref_name",
  "github.base_ref",
  "github.event.inputs.*",
  "inputs.*",
  "github.event.client_payload.*",
].map((path) => path.split("."));

export type Trust = "anyone" | "members" | "trusted";

/** A whole object, such as `github.event.head_commit`, counts as its worst part. */
export function trustOf(path: string): Trust {
  const segments = path.split(".");
  if (chosenByAnyone.some((known) => overlaps(known, segments))) return "anyone";
  return chosenByMembers.some((known) => overlaps(known, segments)) ? "members" : "trusted";
}

/** Whether one is the other or lies within it. */
function overlaps(known: readonly string[], read: readonly string[]): boolean {
  const length = Math.min(known.length, read.length);
  // The roots alone (`github`, `toJSON(github.event)`) carry everything.
  for (let i = 0; i < length; i++) if (known[i] !== read[i] && known[i] !== "*" && read[i] !== "*") return false;
  return true;
}
