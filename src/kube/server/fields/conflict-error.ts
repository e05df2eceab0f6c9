import { KubeError } from "../../client/kube-error.ts";
import type { ManagedEntry } from "./managed-entry.ts";
import type { Conflict } from "./plan-apply.ts";
import { pathText } from "./steps.ts";

/** 409 in upstream's words: kubectl prints the message, other clients read the causes. */
export function applyConflict(conflicts: readonly Conflict[]): KubeError {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: "FieldManagerConflict",
    message: `conflict with ${ownerText(owner)}`,
    field: pathText(path),
  }));
  return new KubeError("Conflict", messageOf(conflicts), { causes });
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (first !== undefined && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${ownerText(first.owner)}: ${pathText(first.path)}`;
  }
  const byOwner = Map.groupBy(conflicts, ({ owner }) => ownerText(owner));
  const lines = [...byOwner]
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .flatMap(([owner, members]) => [`conflicts with ${owner}:`, ...members.map(({ path }) => `- ${pathText(path)}`)]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join("\n")}`;
}

/** Appliers have no version: they go by their name alone. */
function ownerText({ manager, operation, apiVersion, subresource }: ManagedEntry): string {
  const through = subresource === undefined ? "" : ` with subresource ${JSON.stringify(subresource)}`;
  return `${JSON.stringify(manager)}${through}${operation === "Update" ? ` using ${apiVersion}` : ""}`;
}
