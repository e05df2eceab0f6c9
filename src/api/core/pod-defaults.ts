/** Upstream's defaults of a pod spec (`core/v1` defaulting), applied to pods and to pod templates alike. */
import { setVolumeDefaults } from "./volume-defaults.ts";
import type { Container, LifecycleHandler, PodSpec, Probe } from "./pod.ts";

export function setPodSpecDefaults(spec: PodSpec | undefined): void {
  if (spec === undefined) return;
  spec.restartPolicy ??= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ??= "ClusterFirst";
  spec.schedulerName ??= "default-scheduler";
  spec.securityContext ??= {};
  // Two names of one thing, of which the second is the older.
  const account = spec.serviceAccountName ?? spec["serviceAccount"];
  if (typeof account === "string" && account !== "") {
    spec.serviceAccountName = account;
    spec["serviceAccount"] = account;
  }
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) setContainerDefaults(container);
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
  if (spec["hostNetwork"] === true) setHostPorts(spec);
}

/** On the host's network a container's port is the host's. */
function setHostPorts(spec: PodSpec): void {
  for (const { ports } of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    for (const port of ports ?? []) port.hostPort ??= port.containerPort;
  }
}

function setContainerDefaults(container: Container): void {
  container.imagePullPolicy ??= isFloating(container.image) ? "Always" : "IfNotPresent";
  container.terminationMessagePath ??= "/dev/termination-log";
  container.terminationMessagePolicy ??= "File";
  container.resources ??= {};
  for (const port of container.ports ?? []) port.protocol ??= "TCP";
  for (const variable of container.env ?? []) {
    if (variable.valueFrom?.fieldRef !== undefined) variable.valueFrom.fieldRef.apiVersion ??= "v1";
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    setProbeDefaults(probe);
  }
  setHandlerDefaults(container.lifecycle?.preStop);
  setHandlerDefaults(container.lifecycle?.postStart);
}

function setProbeDefaults(probe: Probe | undefined): void {
  if (probe === undefined) return;
  probe.timeoutSeconds ??= 1;
  probe.periodSeconds ??= 10;
  probe.successThreshold ??= 1;
  probe.failureThreshold ??= 3;
  if (probe.grpc !== undefined) probe.grpc.service ??= "";
  setHandlerDefaults(probe);
}

function setHandlerDefaults(handler: LifecycleHandler | undefined): void {
  const get: { path?: string; scheme?: string } | undefined = handler?.httpGet;
  if (get === undefined) return;
  get.path ??= "/";
  get.scheme ??= "HTTP";
}

/** Whether a reference means another image tomorrow: tag `latest`, or neither tag nor digest. */
function isFloating(reference: string | undefined): boolean {
  if (reference === undefined || reference.includes("@")) return false;
  const tag = /:([^/:]+)$/.exec(reference)?.[1];
  return tag === undefined || tag === "latest";
}
