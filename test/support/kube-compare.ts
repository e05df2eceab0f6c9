/** What two servers answered, without what must differ: identities, times, addresses given by chance. */
import { isObject } from "#lib";
import type { Fields } from "./kube-generate.ts";

const chance = new Set(
  (
    "uid resourceVersion creationTimestamp deletionTimestamp time clusterIP clusterIPs nodePort " +
    "lastPhaseTransitionTime controller-uid batch.kubernetes.io/controller-uid"
  ).split(" "),
);

/**
 * A null is nothing, and so is an empty list: Go keeps the two apart in memory and not in its store, so the real server
 * itself shows now one and now the other. Lists whose order is that of a Go map are sorted.
 */
export function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]) => {
    if (inner === null || (Array.isArray(inner) && inner.length === 0)) return [];
    if (chance.has(key)) return inner === "None" ? [[key, inner] as const] : [[key, "*"] as const];
    const same = comparable(inner);
    return [[key, (key === "managedFields" || key === "causes") && Array.isArray(same) ? sorted(same) : same] as const];
  });
  return Object.fromEntries(entries);
}

function sorted(items: readonly unknown[]): unknown[] {
  return items
    .map((item) => [identity(item), item] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, item]) => item);
}

function identity(item: unknown): string {
  const { manager, operation, subresource, field, message } = item as Fields;
  return JSON.stringify([operation, manager, subresource, field, message]);
}

/** Where the two differ, a line each; nothing where they agree. */
export function differences(own: unknown, peer: unknown, path = ""): string[] {
  const bothMaps = isObject(own) && isObject(peer);
  if (!bothMaps && !(Array.isArray(own) && Array.isArray(peer))) {
    if (JSON.stringify(own) === JSON.stringify(peer)) return [];
    return [`${path}: ours ${short(own)}, theirs ${short(peer)}`];
  }
  const [a, b] = [own as Fields, peer as Fields];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => differences(a[key], b[key], `${path}.${key}`));
}

function short(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 300);
}
