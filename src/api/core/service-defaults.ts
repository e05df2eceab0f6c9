/** Defaults of Services, and what the system gives them: an address, and ports on the nodes. */
import { fnv1a32 } from "#lib";
import type { CompletionContext } from "../meta/kind.ts";
import type { Service, ServicePort } from "./core-types.ts";

type Spec = Service["spec"];

export function setServiceDefaults({ spec }: Service): void {
  if (spec === undefined) return;
  spec.type ??= "ClusterIP";
  spec.sessionAffinity ??= "None";
  if (spec.sessionAffinity === "None") delete spec["sessionAffinityConfig"];
  else if (spec.sessionAffinity === "ClientIP") {
    const config = (spec["sessionAffinityConfig"] ??= {}) as { clientIP?: { timeoutSeconds?: number } };
    config.clientIP ??= {};
    config.clientIP.timeoutSeconds ??= 10_800;
  }
  for (const port of spec.ports ?? []) {
    port.protocol ??= "TCP";
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "") port.targetPort = port.port;
  }
  if (spec.type === "ExternalName") return;
  spec["internalTrafficPolicy"] ??= "Cluster";
  const fromOutside = spec.type === "NodePort" || spec.type === "LoadBalancer" || hasExternalAddresses(spec);
  if (fromOutside) spec["externalTrafficPolicy"] ??= "Cluster";
  if (spec.type === "LoadBalancer") spec["allocateLoadBalancerNodePorts"] ??= true;
}

function hasExternalAddresses(spec: Spec): boolean {
  return Array.isArray(spec["externalIPs"]) && spec["externalIPs"].length > 0;
}

export function completeService(service: Service, old: Service | undefined, context: CompletionContext<Service>): void {
  const { spec } = service;
  if (spec === undefined) return;
  const before = old?.spec;
  if (spec.type === "ExternalName") {
    if (before !== undefined && before.type !== "ExternalName") dropAddresses(spec, before);
    return;
  }
  const keeps = before !== undefined && before.type !== "ExternalName";
  const others = (): readonly Service[] =>
    context.peers().filter(({ metadata }) => !isSame(metadata, service.metadata));
  if (keeps) keepAddresses(spec, before);
  if (spec.clusterIP === undefined || spec.clusterIP === "") {
    const taken = new Set(others().map((other) => other.spec.clusterIP));
    const place = `${service.metadata.namespace ?? ""}/${service.metadata.name}`;
    spec.clusterIP = spec.clusterIPs?.[0] ?? freeAddress(place, taken);
  }
  if ((spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
  // Without selector a headless Service may stand for anything anywhere.
  const open = spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;
  spec["ipFamilyPolicy"] ??= open ? "RequireDualStack" : "SingleStack";
  spec["ipFamilies"] ??= open && spec["ipFamilyPolicy"] !== "SingleStack" ? ["IPv4", "IPv6"] : ["IPv4"];
  if (wantsNodePorts(spec)) giveNodePorts(spec, others);
  else if (before !== undefined && wantsNodePorts(before)) takeNodePorts(spec, before);
}

function isSame(a: Service["metadata"], b: Service["metadata"]): boolean {
  return a.name === b.name && a.namespace === b.namespace;
}

function wantsNodePorts(spec: Spec): boolean {
  return spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] !== false);
}

const addressFields = [
  "clusterIP",
  "clusterIPs",
  "ipFamilies",
  "ipFamilyPolicy",
  "internalTrafficPolicy",
  "externalTrafficPolicy",
] as const;

/** What an update leaves out it leaves as it is. */
function keepAddresses(spec: Spec, before: Spec): void {
  if (spec.clusterIP === undefined || spec.clusterIP === "") {
    if (before.clusterIP !== undefined && before.clusterIP !== "") spec.clusterIP = before.clusterIP;
  }
  if ((spec.clusterIPs ?? []).length === 0 && spec.clusterIP === before.clusterIP && before.clusterIPs !== undefined) {
    spec.clusterIPs = [...before.clusterIPs];
  }
  for (const field of ["ipFamilies", "ipFamilyPolicy"] as const) {
    if (before[field] !== undefined) spec[field] ??= structuredClone(before[field]);
  }
  if (!wantsNodePorts(spec) || !wantsNodePorts(before)) return;
  const given = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue;
    const same = before.ports?.find((other) => other.port === port.port && other.protocol === port.protocol);
    if (same?.nodePort && !given.has(same.nodePort)) port.nodePort = same.nodePort;
  }
}

/** What a Service had for its former type it loses with it, unless the update asks for it anew. */
function dropAddresses(spec: Spec, before: Spec): void {
  for (const field of addressFields) {
    if (JSON.stringify(spec[field]) === JSON.stringify(before[field])) delete spec[field];
  }
  takeNodePorts(spec, before);
}

function takeNodePorts(spec: Spec, before: Spec): void {
  const had = new Set((before.ports ?? []).map(({ nodePort }) => nodePort));
  for (const port of spec.ports ?? []) if (had.has(port.nodePort)) delete port.nodePort;
}

/**
 * An address in 10.96.0.0/12 found from the Service's name. Nothing routes to it (the router reaches pods by
 * EndpointSlice); who looks for a Service by its address must find only that one.
 */
function freeAddress(place: string, taken: ReadonlySet<string | undefined>): string {
  for (let host = fnv1a32(place) & 0xf_ff_ff; ; host = (host + 1) & 0xf_ff_ff) {
    const address = `10.${96 + (host >>> 16)}.${(host >>> 8) & 0xff}.${host & 0xff}`;
    if (!taken.has(address)) return address;
  }
}

const firstNodePort = 30_000;
const nodePortCount = 2768;

/** The same port number of two protocols may share one, as with DNS. */
function giveNodePorts(spec: Spec, others: () => readonly Service[]): void {
  const ports = spec.ports ?? [];
  if (ports.every(({ nodePort }) => nodePort !== undefined && nodePort !== 0)) return;
  const taken = new Set(
    [...others().flatMap((other) => other.spec.ports ?? []), ...ports].map((port) => port.nodePort),
  );
  for (const port of ports) {
    if (port.nodePort) continue;
    const twin = ports.find((other) => other.port === port.port && other.nodePort && other.protocol !== port.protocol);
    port.nodePort = twin?.nodePort ?? freePort(port, taken);
    taken.add(port.nodePort);
  }
}

function freePort(port: ServicePort, taken: ReadonlySet<number | undefined>): number {
  const start = fnv1a32(`${port.port}/${port.protocol}`) % nodePortCount;
  for (let step = 0; step < nodePortCount; step++) {
    const number = firstNodePort + ((start + step) % nodePortCount);
    if (!taken.has(number)) return number;
  }
  return 0;
}
