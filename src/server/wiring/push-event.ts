import type { RefUpdate } from "#git";
import type { WorkflowEvent } from "#workflows";

/** The event that a moved ref is to workflows; its id makes telling it twice harmless. Undefined for a deletion. */
export function pushEvent(update: RefUpdate): WorkflowEvent | undefined {
  if (/^0+$/.test(update.after)) return undefined;
  if (!update.ref.startsWith("refs/heads/") && !update.ref.startsWith("refs/tags/")) return undefined;
  return {
    id: `push:${update.sequence}`,
    name: "push",
    repository: update.repository,
    ref: update.ref,
    sha: update.after,
    before: update.before,
    actor: update.pusher,
  };
}
