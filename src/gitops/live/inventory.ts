import { apiVersionOf, type Application, type ResourceType } from "#api";
import type { Cluster } from "#kube";

/** The kinds the Application had objects of when its status was last written: what to look through for leftovers. */
export function inventoryTypes(application: Application, cluster: Cluster): ResourceType[] {
  const resources = application.status?.resources ?? [];
  return resources
    .map(({ group = "", version, kind }) => cluster.resolveType(apiVersionOf({ group, version }), kind))
    .filter((type) => type !== undefined);
}
