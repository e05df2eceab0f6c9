/** Which events' jobs may read secrets. Pure. */
import type { ContextObject } from "../protocol.ts";
import { field, text } from "../run/event.ts";

export interface SecretsQuestion {
  readonly eventName: string;
  /** Whose secrets they are, `owner/name`. */
  readonly repository: string;
  /** `github.event`. */
  readonly payload: ContextObject;
}

/** Events that only somebody with the right to push sets off, and that run what the repository itself holds. */
const ownEvents = new Set(["push", "workflow_dispatch", "repository_dispatch", "schedule"]);

/**
 * A pull request's jobs run code of its head: they may read secrets only when the head is in the same repository, where
 * whoever made it could have pushed as well. What the payload does not tell, and events not known here, count as foreign.
 */
export function mayReadSecrets(question: SecretsQuestion): boolean {
  if (ownEvents.has(question.eventName)) return true;
  if (question.eventName !== "pull_request") return false;
  const pull = field(question.payload, "pull_request");
  const head = text(field(field(pull, "head"), "repo"), "full_name");
  return head !== undefined && head.toLowerCase() === question.repository.toLowerCase();
}
