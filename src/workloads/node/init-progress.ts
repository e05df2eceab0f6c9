/** How far a pod's init containers have come, and which containers are due because of it: pure. */
import type { Container, Pod } from "#api";
import type { ContainerRecord } from "../ports.ts";
import type { ProbeVerdicts } from "./plan-pod.ts";

export interface InitObserved {
  readonly pod: Pod;
  readonly records: readonly ContainerRecord[];
  readonly probes: ReadonlyMap<string, ProbeVerdicts>;
  readonly starting: ReadonlySet<string>;
}

export interface InitProgress {
  /** The first init container that the others wait for; undefined when containers may run. */
  readonly pending: Container | undefined;
  /** What should be running now, or run next: sidecars so far, the pending one, or all containers. */
  readonly due: readonly Container[];
}

/** An init container with `restartPolicy: Always` runs beside what comes after it. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

function sidecarsOf(pod: Pod): Container[] {
  return (pod.spec.initContainers ?? []).filter(isSidecar);
}

/** The record of the container's latest attempt. */
export function latest(observed: Pick<InitObserved, "records">, name: string): ContainerRecord | undefined {
  return observed.records.findLast((record) => record.name === name);
}

/**
 * One after another: an init container is done when it succeeded, a sidecar when it has started (its startup probe
 * succeeded, its postStart hook ended). Once a container ran, init containers are not looked at again but for sidecars.
 */
export function initProgress(observed: InitObserved): InitProgress {
  const { containers, initContainers = [] } = observed.pod.spec;
  const ran = containers.some(({ name }) => latest(observed, name) !== undefined);
  if (ran) return { pending: undefined, due: [...initContainers.filter(isSidecar), ...containers] };
  const due: Container[] = [];
  for (const container of initContainers) {
    const sidecar = isSidecar(container);
    const done = sidecar ? hasStarted(observed, container) : hasSucceeded(observed, container);
    if (sidecar || !done) due.push(container);
    if (!done) return { pending: container, due };
  }
  return { pending: undefined, due: [...due, ...containers] };
}

function hasSucceeded(observed: InitObserved, { name }: Container): boolean {
  const state = latest(observed, name)?.state;
  return state?.kind === "exited" && state.exitCode === 0;
}

/** Runs, has passed its startup probe, and its postStart hook is over. */
export function hasStarted(observed: InitObserved, container: Container): boolean {
  const record = latest(observed, container.name);
  if (record?.state.kind !== "running" || observed.starting.has(container.name)) return false;
  return container.startupProbe === undefined || observed.probes.get(record.id)?.startup === true;
}

/** Whose end a container waits for when the pod ends: a sidecar for all containers and for the sidecars after it. */
export function endsAfter(pod: Pod, name: string): readonly string[] {
  const sidecars = sidecarsOf(pod);
  const index = sidecars.findIndex((sidecar) => sidecar.name === name);
  if (index === -1) return [];
  return [...pod.spec.containers, ...sidecars.slice(index + 1)].map((container) => container.name);
}
