/**
 * EndpointSlices of Endpoints that somebody wrote by hand for a Service without selector: pure. Whoever routes reads
 * slices only.
 */
import {
  type EndpointAddress,
  type Endpoint,
  type Endpoints,
  endpoints as endpointsType,
  type EndpointSlice,
  type EndpointSubset,
  type Service,
  serviceNameLabel,
} from "#api";
import { deepEqual, fnv1a32, safeEncode } from "#lib";
import { isIPv6 } from "node:net";
import { ownerReference } from "../pods/owner-reference.ts";
import { endpointsManagedBy, endpointsManager } from "./plan-endpoints.ts";
import { managedByLabel, type SliceAction } from "./plan-slices.ts";

export const mirrorManager = "endpointslicemirroring-controller.k8s.io";
const skipMirror = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";

export interface MirrorObserved {
  readonly service: Service | undefined;
  readonly endpoints: Endpoints | undefined;
  /** Those that mirror it now. */
  readonly slices: readonly EndpointSlice[];
}

export function planMirror({ service, endpoints, slices }: MirrorObserved): SliceAction[] {
  const wanted =
    service === undefined || endpoints === undefined || !isMirrored(service, endpoints)
      ? []
      : (endpoints.subsets ?? []).flatMap((subset, index) => slicesOf(endpoints, subset, index));
  const actions: SliceAction[] = [];
  for (const slice of wanted) {
    const old = slices.find(({ metadata }) => metadata.name === slice.metadata.name);
    if (old === undefined) actions.push({ kind: "create", slice });
    else if (!deepEqual(old.endpoints, slice.endpoints) || !deepEqual(old.ports, slice.ports)) {
      actions.push({ kind: "update", slice: { ...slice, metadata: old.metadata } });
    }
  }
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  for (const slice of slices) if (!names.has(slice.metadata.name)) actions.push({ kind: "delete", slice });
  return actions;
}

function isMirrored(service: Service, { metadata }: Endpoints): boolean {
  const { labels = {}, annotations = {} } = metadata;
  if (service.spec.selector !== undefined && Object.keys(service.spec.selector).length > 0) return false;
  if (labels[skipMirror] === "true" || labels[endpointsManagedBy] === endpointsManager) return false;
  return annotations[leaderAnnotation] === undefined;
}

function slicesOf(endpoints: Endpoints, subset: EndpointSubset, index: number): EndpointSlice[] {
  const all = [
    ...(subset.addresses ?? []).map((address) => ({ address, ready: true })),
    ...(subset.notReadyAddresses ?? []).map((address) => ({ address, ready: false })),
  ];
  const families = Map.groupBy(all, ({ address }) => (isIPv6(address.ip) ? "IPv6" : "IPv4"));
  return [...families].map(([addressType, members]) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${endpoints.metadata.name}-${safeEncode(String(fnv1a32(`${endpoints.metadata.uid} ${index} ${addressType}`)))}`,
      namespace: endpoints.metadata.namespace ?? "",
      labels: {
        ...endpoints.metadata.labels,
        [serviceNameLabel]: endpoints.metadata.name,
        [managedByLabel]: mirrorManager,
      },
      ownerReferences: [ownerReference(endpointsType, endpoints)],
    },
    addressType,
    endpoints: members.map(({ address, ready }) => endpointOf(address, ready)),
    ports: (subset.ports ?? []).map((port) => ({ ...port, name: port.name ?? "", protocol: port.protocol ?? "TCP" })),
  }));
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}
