/** Upstream's defaults of a pod spec (`core/v1` defaulting), applied to pods and to pod templates alike. */
import type { Container, LifecycleHandler, PodSpec, Probe } from "./pod.ts";

export function setPodSpecDefaults(spec: PodSpec | undefined): void {
  if (spec === undefined) return;
  spec.restartPolicy ??= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ??= "ClusterFirst";
  spec.schedulerName ??= "default-scheduler";
  spec.securityContext ??= {};
  if (spec.serviceAccountName !== undefined) spec["serviceAccount"] ??= spec.serviceAccountName;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) setContainerDefaults(container);
  for (const volume of spec.volumes ?? []) {
    const sources = Object.keys(volume).filter((field) => field !== "name");
    if (sources.length === 0) volume.emptyDir = {};
    for (const source of ["configMap", "secret", "projected", "downwardAPI"] as const) setMode(volume[source]);
  }
}

function setMode(source: unknown): void {
  if (typeof source !== "object" || source === null) return;
  const withMode = source as { defaultMode?: number };
  withMode.defaultMode ??= 0o644;
}

function setContainerDefaults(container: Container): void {
  container.imagePullPolicy ??= isFloating(container.image) ? "Always" : "IfNotPresent";
  container.terminationMessagePath ??= "/dev/termination-log";
  container.terminationMessagePolicy ??= "File";
  container.resources ??= {};
  const { limits } = container.resources;
  if (limits !== undefined) container.resources.requests = { ...limits, ...container.resources.requests };
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
