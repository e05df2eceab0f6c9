/**
 * Says on each Ingress, and on each Service that asks for a load balancer, where it is served, as their controllers do;
 * until then an Application that has one counts as progressing, and `helm --wait` waits.
 */
import { type Ingress, ingresses, services } from "#api";
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

/** The router is the load balancer: it serves a Service by its name. One that is no longer of the type loses the entry. */
export async function acknowledgeLoadBalancers(
  cluster: Cluster,
  informers: Informers,
  signal: AbortSignal,
): Promise<void> {
  for (const { metadata, spec, status } of informers.for(services).list()) {
    const { name, namespace = "" } = metadata;
    const hostname = `${name}.${namespace}.localhost`;
    const wanted = spec.type === "LoadBalancer" ? [{ hostname }] : [];
    // An address that somebody else gave it is theirs.
    const present = status?.loadBalancer?.ingress ?? [];
    const foreign = present.some((entry) => entry.hostname !== hostname);
    if (foreign || deepEqual(present, wanted) || metadata.deletionTimestamp !== undefined) continue;
    const loadBalancer = { ingress: wanted.length === 0 ? null : wanted };
    const patch = { type: "merge", patch: { status: { loadBalancer } } } as const;
    try {
      await cluster.patch(services, { namespace, name }, patch, { signal, subresource: "status" });
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
    }
  }
}
