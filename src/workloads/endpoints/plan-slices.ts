/**
 * The EndpointSlices a Service should have: pure. All endpoints of a slice share its port numbers, and pods that are
 * processes have ports of their own, so there is one slice for each set of ports that occurs, often one a pod; pods that
 * share their ports fill slices of up to a hundred. Names are functions of service, ports and number, so that doing it
 * twice does it once.
 */
import {
  apiVersionOf,
  type Endpoint,
  type EndpointSlice,
  isPodReady,
  matchesLabels,
  type Pod,
  reachablePort,
  type Service,
  serviceNameLabel,
  services,
} from "#api";
import { canonicalJson, deepEqual, fnv1a32, safeEncode } from "#lib";
import { isEnded } from "../pod-state.ts";

export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const manager = "endpointslice-controller.k8s.io";

export interface ServiceObserved {
  readonly service: Service;
  /** Of the namespace. */
  readonly pods: readonly Pod[];
  /** The service's own slices, as they are. */
  readonly slices: readonly EndpointSlice[];
}

export type SliceAction =
  | { readonly kind: "create"; readonly slice: EndpointSlice }
  | { readonly kind: "update"; readonly slice: EndpointSlice }
  | { readonly kind: "delete"; readonly slice: EndpointSlice };

export function planSlices(observed: ServiceObserved): SliceAction[] {
  const wanted = new Map(wantedSlices(observed).map((slice) => [slice.metadata.name, slice]));
  const present = new Map(observed.slices.map((slice) => [slice.metadata.name, slice]));
  const actions: SliceAction[] = [];
  for (const [name, slice] of wanted) {
    const old = present.get(name);
    if (old === undefined) actions.push({ kind: "create", slice });
    else if (!isSame(old, slice))
      actions.push({ kind: "update", slice: { ...slice, metadata: mergedMetadata(old, slice) } });
  }
  // Removed last: while pods move from slice to slice they are in two rather than in none.
  for (const [name, slice] of present) if (!wanted.has(name)) actions.push({ kind: "delete", slice });
  return actions;
}

function isSame(old: EndpointSlice, slice: EndpointSlice): boolean {
  return (
    deepEqual(old.endpoints, slice.endpoints) &&
    deepEqual(old.ports ?? [], slice.ports ?? []) &&
    deepEqual(old.metadata.labels, slice.metadata.labels)
  );
}

function mergedMetadata(old: EndpointSlice, slice: EndpointSlice): EndpointSlice["metadata"] {
  const { labels, ownerReferences } = slice.metadata;
  return {
    ...old.metadata,
    ...(labels === undefined ? {} : { labels }),
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
  };
}

/** Most endpoints of a slice; upstream's limit. */
const sliceSize = 100;

function wantedSlices({ service, pods, slices }: ServiceObserved): EndpointSlice[] {
  const { selector, type } = service.spec;
  if (type === "ExternalName" || selector === undefined || service.metadata.deletionTimestamp !== undefined) return [];
  const groups = new Map<string, { ports: SlicePorts; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    if (!matchesLabels(selector, pod.metadata.labels) || pod.status?.podIP === undefined || isEnded(pod)) continue;
    const ports = portsOf(service, pod);
    const key = canonicalJson(ports);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { ports, endpoints: [endpointOf(service, pod)] });
    else group.endpoints.push(endpointOf(service, pod));
  }
  return [...groups].flatMap(([key, { ports, endpoints }]) => {
    const named = (number: number): string => sliceName(service, key, number);
    return pack(endpoints, named, slices).map((part, number) => sliceOf(service, named(number), ports, part));
  });
}

/** Endpoints stay in the slice where they are, so that one that comes or goes changes one slice and not all. */
function pack(
  endpoints: readonly Endpoint[],
  nameOf: (number: number) => string,
  slices: readonly EndpointSlice[],
): Endpoint[][] {
  const count = Math.ceil(endpoints.length / sliceSize);
  const parts = Array.from({ length: count }, (): Endpoint[] => []);
  const homes = new Map<string, number>();
  for (let number = 0; number < count; number++) {
    const present = slices.find(({ metadata }) => metadata.name === nameOf(number));
    for (const { targetRef } of present?.endpoints ?? []) homes.set(targetRef?.uid ?? "", number);
  }
  const homeless: Endpoint[] = [];
  for (const endpoint of endpoints) {
    const home = parts[homes.get(endpoint.targetRef?.uid ?? "") ?? -1];
    if (home !== undefined && home.length < sliceSize) home.push(endpoint);
    else homeless.push(endpoint);
  }
  for (const endpoint of homeless) parts.find((part) => part.length < sliceSize)?.push(endpoint);
  return parts.filter((part, number) => part.length > 0 || number === 0);
}

/** The uid keeps a service that was made anew from the slices of the old one. */
function sliceName({ metadata }: Service, key: string, number: number): string {
  const identity = `${metadata.uid} ${key}${number === 0 ? "" : ` ${number}`}`;
  return `${metadata.name}-${safeEncode(fnv1a32(identity).toString(16).padStart(8, "0"))}`;
}

/** A pod that names the service as its subdomain has a name there: what StatefulSets do. */
export function hostnameOf({ metadata }: Service, { spec }: Pod): { hostname?: string } {
  const { hostname, subdomain } = spec;
  return typeof hostname === "string" && hostname !== "" && subdomain === metadata.name ? { hostname } : {};
}

export type SlicePorts = NonNullable<EndpointSlice["ports"]>;

export function portsOf(service: Service, pod: Pod): SlicePorts {
  const ports: SlicePorts = [];
  for (const port of service.spec.ports ?? []) {
    const target = targetPort(pod, port.targetPort ?? port.port, port.protocol ?? "TCP");
    if (target === undefined) continue;
    ports.push({
      name: port.name ?? "",
      port: reachablePort(pod, target),
      protocol: port.protocol ?? "TCP",
      ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
    });
  }
  return ports;
}

/** A named target port is looked up in each pod; undefined where a pod has none of that name. */
function targetPort(pod: Pod, target: number | string, protocol: string): number | undefined {
  if (typeof target === "number") return target;
  for (const container of pod.spec.containers) {
    const found = container.ports?.find((port) => port.name === target && (port.protocol ?? "TCP") === protocol);
    if (found !== undefined) return found.containerPort;
  }
  return /^\d+$/.test(target) ? Number(target) : undefined;
}

/**
 * A pod that is being deleted is never `ready`, but goes on `serving` while its probe passes: clients that have nobody
 * else may still use it.
 */
function endpointOf(service: Service, pod: Pod): Endpoint {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isPodReady(pod);
  const always = service.spec["publishNotReadyAddresses"] === true;
  const { name, namespace, uid } = pod.metadata;
  return {
    addresses: [pod.status?.podIP ?? ""],
    conditions: { ready: always || (serving && !terminating), serving, terminating },
    targetRef: {
      kind: "Pod",
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
    },
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    ...hostnameOf(service, pod),
  };
}

function sliceOf(service: Service, sliceName: string, ports: SlicePorts, endpoints: Endpoint[]): EndpointSlice {
  const { name, namespace = "", uid = "", labels } = service.metadata;
  const owner = { apiVersion: apiVersionOf(services), kind: "Service", name, uid };
  const headless = service.spec.clusterIP === "None" ? { "service.kubernetes.io/headless": "" } : {};
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: sliceName,
      namespace,
      labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: manager, ...headless },
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    },
    addressType: "IPv4",
    endpoints: endpoints.toSorted((a, b) => ((a.targetRef?.name ?? "") < (b.targetRef?.name ?? "") ? -1 : 1)),
    ports,
  };
}
