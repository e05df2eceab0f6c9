/**
 * From the cluster's resources to the routing table. Pure and total: resources that make no sense (a port nobody has, a
 * broken annotation) lead to fewer endpoints, never to an exception, because everything else must keep being served.
 */
import type { EndpointSlice, Ingress, Pod, Service, ServicePort, TrafficSplit } from "#api";
import { divideEndpoints, endpointsOfPort, type Candidate } from "./endpoints.ts";
import { planHosts, type BackendLookup } from "./ingress-routes.ts";
import type { Backend, HostRoute, RoutingTable, SplitGeneration } from "./routing-table.ts";
import { serviceNameLabel } from "#api";

export interface ObservedTraffic {
  readonly services: readonly Service[];
  readonly endpointSlices: readonly EndpointSlice[];
  /** For the revision label and the ports of pods that are processes. */
  readonly pods: readonly Pod[];
  readonly ingresses: readonly Ingress[];
  readonly trafficSplits: readonly TrafficSplit[];
  readonly generation: number;
}

export function planRoutingTable(observed: ObservedTraffic): RoutingTable {
  const index = indexObserved(observed);
  const backends = new Map<string, Backend>();
  const lookup: BackendLookup = (namespace, name, port) => {
    const service = index.services.get(`${namespace}/${name}`);
    const servicePort = service === undefined ? undefined : findPort(service, port);
    const backend = planBackend(index, namespace, name, servicePort, port?.number ?? 0);
    if (!backends.has(backend.key)) backends.set(backend.key, backend);
    return backend.key;
  };
  const serviceHosts = observed.services.flatMap((service) => [
    ...planServiceHosts(service, lookup),
    ...planPodHosts(service, index, backends),
  ]);
  const hosts = planHosts(observed.ingresses, lookup, serviceHosts);
  return {
    generation: observed.generation,
    backends: [...backends.values()].sort((a, b) => compareText(a.key, b.key)),
    hosts,
    splits: planSplits(observed.trafficSplits),
  };
}

interface Index {
  readonly services: ReadonlyMap<string, Service>;
  readonly slices: ReadonlyMap<string, readonly EndpointSlice[]>;
  readonly pods: ReadonlyMap<string, Pod>;
  readonly splits: ReadonlyMap<string, readonly TrafficSplit[]>;
}

function indexObserved(observed: ObservedTraffic): Index {
  return {
    services: new Map(observed.services.map((service) => [keyOf(service), service])),
    slices: Map.groupBy(
      observed.endpointSlices,
      (slice) => `${slice.metadata.namespace ?? "default"}/${slice.metadata.labels?.[serviceNameLabel] ?? ""}`,
    ),
    pods: new Map(observed.pods.map((pod) => [pod.metadata.uid ?? "", pod])),
    splits: Map.groupBy(
      observed.trafficSplits.toSorted((a, b) => compareText(a.metadata.name, b.metadata.name)),
      (split) => split.metadata.namespace ?? "default",
    ),
  };
}

function planBackend(
  index: Index,
  namespace: string,
  name: string,
  port: ServicePort | undefined,
  wanted: number,
): Backend {
  const number = port?.port ?? wanted;
  const key = `${namespace}/${name}:${number}`;
  const slices = port === undefined ? [] : (index.slices.get(`${namespace}/${name}`) ?? []);
  const candidates: readonly Candidate[] = endpointsOfPort(slices, port?.name ?? "", index.pods);
  const groups = divideEndpoints(candidates, index.splits.get(namespace) ?? []);
  return { key, namespace, service: name, port: number, groups };
}

/** The port an Ingress names; without one the port named "http", else the first. */
function findPort(service: Service, wanted: { number?: number; name?: string } | undefined): ServicePort | undefined {
  const ports = (service.spec.ports ?? []).filter((port) => (port.protocol ?? "TCP") === "TCP");
  if (wanted?.name !== undefined) return ports.find((port) => port.name === wanted.name);
  if (wanted?.number !== undefined) return ports.find((port) => port.port === wanted.number);
  return ports.find((port) => port.name === "http") ?? ports[0];
}

function planServiceHosts(service: Service, lookup: BackendLookup): HostRoute[] {
  const { name, namespace = "default" } = service.metadata;
  if (findPort(service, undefined) === undefined) return [];
  const backend = lookup(namespace, name, undefined);
  const paths = [{ path: "/", type: "Prefix" as const, backend }];
  return [`${name}.${namespace}.localhost`, `${name}.${namespace}.svc.cluster.local`].map((host) => ({ host, paths }));
}

/** `db-0.db.shop.localhost`: pods that have a name below a headless Service, as those of a StatefulSet. */
function planPodHosts(service: Service, index: Index, backends: Map<string, Backend>): HostRoute[] {
  const port = findPort(service, undefined);
  if (service.spec.clusterIP !== "None" || port === undefined) return [];
  const { name, namespace = "default" } = service.metadata;
  const slices = index.slices.get(`${namespace}/${name}`) ?? [];
  const names = new Set(slices.flatMap(({ endpoints }) => endpoints.flatMap(({ hostname }) => hostname ?? [])));
  return [...names].toSorted(compareText).flatMap((pod) => {
    const own = slices.map((slice) => ({ ...slice, endpoints: slice.endpoints.filter((one) => one.hostname === pod) }));
    // A name means one pod: nobody takes over for one that leaves, so holding on to it would only keep it from leaving.
    const ready = endpointsOfPort(own, port.name ?? "", index.pods).filter(({ state }) => state === "ready");
    const groups = divideEndpoints(ready, []);
    const key = `${namespace}/${name}:${port.port}/${pod}`;
    backends.set(key, { key, namespace, service: name, port: port.port, groups });
    const paths = [{ path: "/", type: "Prefix" as const, backend: key }];
    return ["localhost", "svc.cluster.local"].map((end) => ({ host: `${pod}.${name}.${namespace}.${end}`, paths }));
  });
}

function planSplits(splits: readonly TrafficSplit[]): SplitGeneration[] {
  return splits
    .map(({ metadata }) => ({
      namespace: metadata.namespace ?? "default",
      name: metadata.name,
      generation: metadata.generation ?? 0,
    }))
    .sort((a, b) => compareText(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`));
}

function keyOf(service: Service): string {
  return `${service.metadata.namespace ?? "default"}/${service.metadata.name}`;
}

/** By code units, so that the same objects give the same table in every locale. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
