/** The older Endpoints object of a Service, for clients that still read it: pure. */
import {
  controllerOf,
  type EndpointAddress,
  type Endpoints,
  type EndpointSubset,
  isPodReady,
  matchesLabels,
  type Pod,
  type Service,
} from "#api";
import { canonicalJson, deepEqual } from "#lib";
import { isEnded } from "../pod-state.ts";
import { hostnameOf, portsOf, type SlicePorts } from "./plan-slices.ts";

export const endpointsManagedBy = "endpoints.kubernetes.io/managed-by";
export const endpointsManager = "endpoint-controller";
const overCapacity = "endpoints.kubernetes.io/over-capacity";
/** Most addresses of the object; upstream cuts here and says so. */
const maxAddresses = 1000;

export type EndpointsAction =
  | { readonly kind: "create" | "update"; readonly endpoints: Endpoints }
  | { readonly kind: "delete"; readonly endpoints: Endpoints };

export function planEndpoints(
  service: Service | undefined,
  pods: readonly Pod[],
  present: Endpoints | undefined,
): EndpointsAction | undefined {
  const ours = present?.metadata.labels?.[endpointsManagedBy] === endpointsManager;
  const { selector, type } = service?.spec ?? {};
  if (service === undefined || selector === undefined || type === "ExternalName") {
    // What somebody wrote by hand, as Services without selector have it, is theirs.
    return present !== undefined && ours && controllerOf(present) === undefined
      ? { kind: "delete", endpoints: present }
      : undefined;
  }
  const wanted = endpointsOf(service, pods);
  if (present === undefined) return { kind: "create", endpoints: wanted };
  const { labels, annotations } = wanted.metadata;
  const same =
    deepEqual(present.subsets ?? [], wanted.subsets ?? []) &&
    deepEqual(present.metadata.labels, labels) &&
    present.metadata.annotations?.[overCapacity] === annotations?.[overCapacity];
  if (same) return undefined;
  const metadata = { ...present.metadata, ...wanted.metadata };
  return { kind: "update", endpoints: { ...present, ...wanted, metadata } };
}

function endpointsOf(service: Service, pods: readonly Pod[]): Endpoints {
  const { name, namespace = "", labels } = service.metadata;
  const headless = service.spec.clusterIP === "None" ? { "service.kubernetes.io/headless": "" } : {};
  const { subsets, cut } = subsetsOf(service, pods);
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      name,
      namespace,
      labels: { ...labels, ...headless, [endpointsManagedBy]: endpointsManager },
      ...(cut ? { annotations: { [overCapacity]: "truncated" } } : {}),
    },
    ...(subsets.length === 0 ? {} : { subsets }),
  };
}

function subsetsOf(service: Service, pods: readonly Pod[]): { subsets: EndpointSubset[]; cut: boolean } {
  const always = service.spec["publishNotReadyAddresses"] === true;
  const listed = pods
    .filter((pod) => matchesLabels(service.spec.selector, pod.metadata.labels) && pod.status?.podIP !== undefined)
    .filter((pod) => !isEnded(pod) && (always || pod.metadata.deletionTimestamp === undefined))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const groups = new Map<string, { ports: SlicePorts; ready: EndpointAddress[]; unready: EndpointAddress[] }>();
  for (const pod of listed.slice(0, maxAddresses)) {
    const ports = portsOf(service, pod);
    const key = canonicalJson(ports);
    const group = groups.get(key) ?? { ports, ready: [], unready: [] };
    groups.set(key, group);
    (always || isPodReady(pod) ? group.ready : group.unready).push(addressOf(service, pod));
  }
  const subsets = [...groups.values()].map(({ ports, ready, unready }) => ({
    ...(ready.length === 0 ? {} : { addresses: ready }),
    ...(unready.length === 0 ? {} : { notReadyAddresses: unready }),
    ...(ports.length === 0 ? {} : { ports: ports.map(withoutEmptyName) }),
  }));
  return { subsets, cut: listed.length > maxAddresses };
}

function withoutEmptyName({ name, ...port }: SlicePorts[number]): SlicePorts[number] {
  return name === undefined || name === "" ? port : { name, ...port };
}

function addressOf(service: Service, pod: Pod): EndpointAddress {
  const { name, namespace = "", uid = "" } = pod.metadata;
  return {
    ip: pod.status?.podIP ?? "",
    ...hostnameOf(service, pod),
    ...(pod.spec.nodeName === undefined ? {} : { nodeName: pod.spec.nodeName }),
    targetRef: { kind: "Pod", name, namespace, uid },
  };
}
