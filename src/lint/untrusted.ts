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
  "github.event.workflow_run.display_title",
  "github.event.workflow_run.head_commit.message",
  "github.event.workflow_run.head_commit.author.email",
  "github.event.workflow_run.head_commit.author.name",
  "github.head_ref",
].map((path) => path.split("."));

/** Chosen by those who may push or start runs: a branch may be called `$(id)`, an input may be anything. */
const chosenByMembers = [
  "github.ref",
  "github.ref_name",
  "github.base_ref",
  "github.event.inputs.*",
  "inputs.*",
  "github.event.client_payload.*",
].map((path) => path.split("."));

/**
 * `unknown`: a part of an event that some texts of others flow into, or that this table does not know. `fixed`: a
 * number, a date, a digest, a word of a closed list.
 */
export type Trust = "anyone" | "members" | "unknown" | "fixed" | "trusted";

/** A whole object, such as `github.event.head_commit`, counts as its worst part. */
export function trustOf(path: string): Trust {
  const segments = path.split(".");
  if (chosenByAnyone.some((known) => overlaps(known, segments))) return "anyone";
  if (chosenByMembers.some((known) => overlaps(known, segments))) return "members";
  if (segments[0] !== "github" || segments[1] !== "event") return "trusted";
  return fixedPart.test(segments.at(-1) ?? "") ? "fixed" : freeText.test(segments.at(-1) ?? "") ? "unknown" : "trusted";
}

/** Whether one is the other or lies within it. */
function overlaps(known: readonly string[], read: readonly string[]): boolean {
  const length = Math.min(known.length, read.length);
  // The roots alone (`github`, `toJSON(github.event)`) carry everything.
  for (let i = 0; i < length; i++) if (known[i] !== read[i] && known[i] !== "*" && read[i] !== "*") return false;
  return true;
}

/** Last segments whose values leave no choice of text. */
const fixedPart =
  /^(?:id|.*_id|number|action|sha|.*_sha|after|before|state|status|conclusion|type|.*_at|.*_count|draft|merged|mergeable|locked|private|fork|additions|deletions|changed_files|commits|comments|size|visibility|run_number|run_attempt)$/;

/** Last segments that people fill in by hand, wherever in an event they stand. */
const freeText =
  /^(?:title|body|name|message|label|ref|head_branch|branch|email|description|summary|text|tag_name|target_commitish|page_name|path|homepage|display_title|environment|task|payload|context|value|company|location|bio|blog|\*)$/;
