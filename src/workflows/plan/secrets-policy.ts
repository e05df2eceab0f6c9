/** What the jobs of an event may have: whose code they run decides. Pure. */
import type { ContextObject } from "../protocol.ts";
import { field, text } from "../run/event.ts";

export interface TrustQuestion {
  readonly eventName: string;
  /** Whose secrets they are, `owner/name`. */
  readonly repository: string;
  /** `github.event`. */
  readonly payload: ContextObject;
}

export interface Trust {
  readonly secrets: boolean;
  /** The job's token may only read, whatever `permissions` say. */
  readonly readOnly: boolean;
}

/**
 * Events that run what the repository itself holds: somebody with the right to push set them off, or they run the
 * workflow of the default branch (of the base, for `pull_request_target`), which a stranger cannot change.
 */
const ownEvents: ReadonlySet<string> = new Set([
  "create",
  "delete",
  "deployment",
  "deployment_status",
  "issue_comment",
  "issues",
  "label",
  "merge_group",
  "milestone",
  "pull_request_target",
  "push",
  "registry_package",
  "release",
  "repository_dispatch",
  "schedule",
  "workflow_dispatch",
  "workflow_run",
]);

/** Events whose jobs run code of the head of a pull request. */
const headEvents: ReadonlySet<string> = new Set(["pull_request", "pull_request_review", "pull_request_review_comment"]);

/**
 * A pull request's jobs run code of its head: they are trusted only when the head is in the same repository, where
 * whoever made it could have pushed as well. What the payload does not tell, and events not known here, count as foreign.
 */
export function trustOf(question: TrustQuestion): Trust {
  const own = ownEvents.has(question.eventName) || (headEvents.has(question.eventName) && isOwnHead(question));
  return { secrets: own, readOnly: !own };
}

function isOwnHead(question: TrustQuestion): boolean {
  const pull = field(question.payload, "pull_request");
  const head = text(field(field(pull, "head"), "repo"), "full_name");
  return head !== undefined && head.toLowerCase() === question.repository.toLowerCase();
}
