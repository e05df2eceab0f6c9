/** Whether a pull request may be merged, and if not, what has to happen first. Pure. */
import type { CheckResult } from "./ports.ts";
import type { PullView } from "./pull-view.ts";

export const mergeMethods = ["merge", "squash", "rebase"] as const;
export type MergeMethod = (typeof mergeMethods)[number];

/** `moved`: it is not what whoever asked has seen. Otherwise it cannot be merged as it is. */
export interface MergeRefusal {
  readonly kind: "moved" | "blocked";
  readonly message: string;
}

type Subject = Pick<PullView, "number" | "state" | "draft" | "mergeable" | "conflicts" | "mergedAt" | "head">;

export function mergeRefusal(
  pull: Subject,
  checks: readonly CheckResult[],
  expectedHead: string | undefined,
): MergeRefusal | undefined {
  const blocked = (message: string): MergeRefusal => ({ kind: "blocked", message });
  if (pull.mergedAt !== null) return blocked(`Pull request #${pull.number} is merged already`);
  if (pull.state === "closed") return blocked(`Pull request #${pull.number} is closed: reopen it first`);
  if (expectedHead !== undefined && expectedHead !== pull.head.sha) {
    const message = `Head branch was modified. Review and try the merge again: it is at ${pull.head.sha.slice(0, 12)}`;
    return { kind: "moved", message };
  }
  if (pull.draft) return blocked(`Pull request #${pull.number} is a draft: mark it as ready for review first`);
  if (pull.mergeable !== true) return blocked(conflictMessage(pull));
  const missing = checks.filter((check) => check.required && check.state !== "success");
  if (missing.length === 0) return undefined;
  const words = missing.map((check) => `"${check.name}" (${check.state})`).join(", ");
  return blocked(`Required checks have not passed: ${words}`);
}

function conflictMessage({ number, conflicts, mergeable }: Subject): string {
  if (mergeable === null) return `Pull request #${number} cannot be merged: its branches have no commit in common`;
  const shown = conflicts.slice(0, 5).join(", ");
  const more = conflicts.length > 5 ? ` and ${conflicts.length - 5} more` : "";
  return `Pull request #${number} has conflicts in ${shown}${more}: merge the base branch into the head and push`;
}
