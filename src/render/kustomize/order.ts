/** The order in which `kubectl kustomize` prints. */
import { KustomizeError } from "./errors.ts";
import type { SortOptions } from "./kustomization.ts";
import type { Resource, ResourceId } from "./resource.ts";

const first = [
  "Namespace",
  "ResourceQuota",
  "StorageClass",
  "CustomResourceDefinition",
  "ServiceAccount",
  "PodSecurityPolicy",
  "Role",
  "ClusterRole",
  "RoleBinding",
  "ClusterRoleBinding",
  "ConfigMap",
  "Secret",
  "Endpoints",
  "Service",
  "LimitRange",
  "PriorityClass",
  "PersistentVolume",
  "PersistentVolumeClaim",
  "Deployment",
  "StatefulSet",
  "CronJob",
  "PodDisruptionBudget",
];
const last = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/** `legacy` unless the kustomization says otherwise. */
export function inOrder(resources: readonly Resource[], options: SortOptions | undefined): Resource[] {
  const order = options?.order ?? (options === undefined ? "legacy" : "fifo");
  if (order === "fifo") return [...resources];
  if (order !== "legacy")
    throw new KustomizeError(`Unknown order "${order}": use legacy or fifo`, ["sortOptions", "order"]);
  const ranks = new Map<string, number>();
  const { orderFirst = first, orderLast = last } = options?.legacySortOptions ?? {};
  for (const [index, kind] of orderFirst.entries()) ranks.set(kind, index - orderFirst.length);
  for (const [index, kind] of orderLast.entries()) ranks.set(kind, index + 1);
  const keyed = resources.map((resource) => ({
    resource,
    rank: ranks.get(resource.id.kind) ?? 0,
    key: sortKey(resource.id),
  }));
  return keyed.sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : 1)).map(({ resource }) => resource);
}

/** Group, version, kind, namespace, name; absent parts sort after letters, as `~`. */
function sortKey(id: ResourceId): string {
  const kind = `${id.group || "~G"}_${id.version || "~V"}_${id.kind}`;
  return `${kind}\0${id.namespace || "~X"}|${id.name}`;
}
