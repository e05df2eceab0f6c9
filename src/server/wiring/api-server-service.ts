/**
 * The Service `kubernetes` in `default`, with its slice and its older Endpoints: how programs of a cluster find the API
 * server by asking the API. Whoever deletes or changes one of them gets it back. The router leaves it alone: it speaks
 * no TLS, and the API has a port of its own.
 */
import { isIP } from "node:net";
import {
  type Endpoints,
  endpoints,
  type EndpointSlice,
  endpointSlices,
  type KubeObject,
  type ResourceType,
  type Service,
  serviceNameLabel,
  services,
} from "#api";
import { type Cluster, isKubeError } from "#kube";
import type { Informers } from "#controller";
import { Wake } from "#lib";

const place = { namespace: "default", name: "kubernetes" } as const;

export function isApiServerService({ metadata }: KubeObject): boolean {
  return metadata.namespace === place.namespace && metadata.name === place.name;
}

interface ApiServerObjects {
  readonly service: Service;
  readonly slice: EndpointSlice;
  readonly endpoints: Endpoints;
}

/** `host`: what the API listens on. One that is no address of one place is reached at this machine's own. */
export function apiServerObjects(host: string, port: number): ApiServerObjects {
  const ip = isIP(host) === 0 || host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  const ports = [{ name: "https", port, protocol: "TCP" as const }];
  // Both forms are written here, so nothing has to make one out of the other.
  const labels = { "endpointslice.kubernetes.io/skip-mirror": "true" };
  return {
    service: {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...place, labels: { component: "apiserver", provider: "kubernetes" } },
      spec: { type: "ClusterIP", ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: port }] },
    },
    slice: {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...place, labels: { [serviceNameLabel]: place.name } },
      addressType: isIP(ip) === 6 ? "IPv6" : "IPv4",
      endpoints: [{ addresses: [ip], conditions: { ready: true } }],
      ports,
    },
    endpoints: {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { ...place, labels },
      subsets: [{ addresses: [{ ip }], ports }],
    },
  };
}

export interface ApiServerServiceOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly host: string;
  readonly port: number;
}

/** Runs until the signal aborts. */
export async function keepApiServerService(options: ApiServerServiceOptions, signal: AbortSignal): Promise<void> {
  const wanted = apiServerObjects(options.host, options.port);
  const wake = new Wake();
  using subscriptions = new DisposableStack();
  for (const type of [services, endpointSlices, endpoints] as readonly ResourceType<KubeObject>[]) {
    const known = options.informers.for(type);
    subscriptions.use(known.subscribe(({ object }) => isApiServerService(object) && wake.notify()));
  }
  await options.informers.synced();
  while (!signal.aborted) {
    await keep(options, services, wanted.service, signal);
    await keep(options, endpointSlices, wanted.slice, signal);
    await keep(options, endpoints, wanted.endpoints, signal);
    await wake.wait(signal).catch(() => {});
  }
}

/** A merge that changes nothing writes nothing, so its own writes wake it once more and no further. */
async function keep<T extends KubeObject>(
  { cluster, informers }: ApiServerServiceOptions,
  type: ResourceType<T>,
  object: T,
  signal: AbortSignal,
): Promise<void> {
  const present = informers.for(type).get(place.namespace, place.name);
  if (present?.metadata.deletionTimestamp !== undefined) return;
  const options = { signal, fieldManager: "kube-apiserver" };
  try {
    if (present === undefined) await cluster.create(type, object, options);
    // Of a slice it cannot be changed; the deletion brings us back.
    else if (addressType(present) !== addressType(object)) await cluster.delete(type, place, { signal });
    else await cluster.patch(type, place, { type: "merge", patch: object }, options);
  } catch (error) {
    // What the informer knows was old: the event that is on its way brings us back.
    if (!isKubeError(error, "AlreadyExists") && !isKubeError(error, "NotFound")) throw error;
  }
}

function addressType(object: KubeObject): unknown {
  return "addressType" in object ? object.addressType : undefined;
}
