/**
 * Says on each Ingress where it is served, as an ingress controller does; until then an Application that has one counts
 * as progressing.
 */
import { type Ingress, ingresses } from "#api";
import { deepEqual } from "#lib";
import { type Cluster, isKubeError } from "#kube";
import type { Informers } from "#controller";

const served: NonNullable<Ingress["status"]> = { loadBalancer: { ingress: [{ hostname: "localhost" }] } };

/** To be called when the routers have a table with these Ingresses in it. */
export async function acknowledgeIngresses(cluster: Cluster, informers: Informers, signal: AbortSignal): Promise<void> {
  for (const { metadata, status } of informers.for(ingresses).list()) {
    if (deepEqual(status?.loadBalancer, served.loadBalancer) || metadata.deletionTimestamp !== undefined) continue;
    const key = { namespace: metadata.namespace ?? "", name: metadata.name };
    const patch = { type: "merge", patch: { status: served } } as const;
    try {
      await cluster.patch(ingresses, key, patch, { signal, subresource: "status" });
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
    }
  }
}
