/** Which resources only remember the past. Pure. */
import type { ResourceNode } from "#api";

/** Replica sets without pods: every release leaves one behind, for going back to, and a tree of them hides what runs. */
export function idleNodes(tree: readonly ResourceNode[]): ReadonlySet<string> {
  const parents = new Set(tree.map(({ parentUid }) => parentUid));
  const idle = tree.filter(
    ({ uid, kind, info }) => kind === "ReplicaSet" && info.includes("ready 0/0") && !parents.has(uid),
  );
  return new Set(idle.map(({ uid }) => uid));
}
