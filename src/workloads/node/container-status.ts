/** The status of one container of a pod: pure. Words and rules are kubelet's. */
import type { Container, ContainerState, ContainerStatus, Pod } from "#api";
import { toTimestamp } from "#lib";
import type { ContainerRecord } from "../ports.ts";
import { hasStarted, isSidecar, latest } from "./init-progress.ts";
import { isFinished, isInitContainer, type PodObserved, policyOf } from "./plan-pod.ts";
import { restartOf } from "./restart.ts";

interface StatusContext {
  readonly runtimeName: string;
  /** Init containers are done, so that what has not begun is being created rather than waiting for them. */
  readonly initialized: boolean;
}

export function containerStatus(observed: PodObserved, container: Container, context: StatusContext): ContainerStatus {
  const record = latest(observed, container.name);
  const known = knownStatus(observed.pod, container.name);
  const isInit = isInitContainer(observed.pod, container);
  const started = hasStarted(observed, container);
  const { resources } = container;
  return {
    name: container.name,
    image: container.image,
    imageID: record === undefined ? "" : imageId(record),
    ...(record === undefined ? {} : { containerID: idOf(record, context.runtimeName) }),
    ready: isInit && !isSidecar(container) ? hasSucceeded(record) : isReady(observed, container, record),
    started,
    restartCount: record?.attempt ?? 0,
    state: stateOf(observed, container, record, context),
    lastState: lastStateOf(observed, container, record, known, context.runtimeName),
    ...(resources?.requests === undefined ? {} : { allocatedResources: resources.requests }),
    ...(resources === undefined || Object.keys(resources).length === 0 ? {} : { resources }),
  };
}

function isReady(observed: PodObserved, container: Container, record: ContainerRecord | undefined): boolean {
  if (record === undefined || !hasStarted(observed, container)) return false;
  // A container that is stopped to be restarted serves no more; one of an ending pod does, until it ends.
  if (observed.stopping.has(record.id) && observed.pod.metadata.deletionTimestamp === undefined) return false;
  return container.readinessProbe === undefined || observed.probes.get(record.id)?.readiness === true;
}

function hasSucceeded(record: ContainerRecord | undefined): boolean {
  return record?.state.kind === "exited" && record.state.exitCode === 0;
}

function knownStatus(pod: Pod, name: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].find((status) => status.name === name);
}

function stateOf(
  observed: PodObserved,
  container: Container,
  record: ContainerRecord | undefined,
  { initialized, runtimeName }: StatusContext,
): ContainerState {
  if (record?.state.kind === "running") return { running: { startedAt: toTimestamp(record.state.startedAt) } };
  const failure = observed.failures.get(container.name);
  const unbegun = { reason: initialized ? "ContainerCreating" : "PodInitializing" };
  // What a volume waits for is told by events; kubelet's state only says that nothing began.
  if (failure?.reason === "FailedMount") return { waiting: unbegun };
  if (failure !== undefined) return { waiting: { reason: failure.reason, message: failure.message } };
  if (record === undefined) return { waiting: unbegun };
  const isEnding = observed.pod.metadata.deletionTimestamp !== undefined;
  const policy = policyOf(observed.pod, container, isInitContainer(observed.pod, container));
  const restart = isEnding ? undefined : restartOf(record, policy);
  if (restart === undefined || restart.delayMs === 0 || isFinished(observed)) {
    return terminatedState(observed, record, idOf(record, runtimeName));
  }
  return { waiting: { reason: "CrashLoopBackOff", message: backOffMessage(observed.pod, record, restart.delayMs) } };
}

function backOffMessage(pod: Pod, record: ContainerRecord, delayMs: number): string {
  const { namespace, name, uid } = pod.metadata;
  const pause = delayMs >= 300_000 ? "5m0s" : goSeconds(delayMs / 1000);
  return `back-off ${pause} restarting failed container=${record.name} pod=${name}_${namespace}(${uid})`;
}

/** `40s`, `1m20s`: as Go prints a duration. */
function goSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

function terminatedState(observed: PodObserved, record: ContainerRecord, containerId: string): ContainerState {
  if (record.state.kind !== "exited") return {};
  const { exitCode, startedAt, finishedAt, witnessed, oomKilled } = record.state;
  const lost = "The container could not be located when the pod was terminated";
  const message = witnessed ? (observed.lastWords.get(record.id) ?? "") : lost;
  const reason = oomKilled === true ? "OOMKilled" : exitCode === 0 ? "Completed" : "Error";
  const terminated = {
    exitCode,
    reason: witnessed ? reason : "ContainerStatusUnknown",
    ...(message === "" ? {} : { message }),
    startedAt: toTimestamp(startedAt),
    finishedAt: toTimestamp(finishedAt),
    containerID: containerId,
  };
  return { terminated };
}

/** How the attempt before the one that `state` is about ended. */
function lastStateOf(
  observed: PodObserved,
  container: Container,
  record: ContainerRecord | undefined,
  known: ContainerStatus | undefined,
  runtimeName: string,
): ContainerState {
  if (record === undefined) return {};
  const waits = stateOf(observed, container, record, { runtimeName, initialized: true }).waiting !== undefined;
  const before = waits
    ? record
    : observed.records.find((other) => other.name === record.name && other.attempt === record.attempt - 1);
  if (before !== undefined) return terminatedState(observed, before, idOf(before, runtimeName));
  return record.attempt > 0 && known?.restartCount === record.attempt ? (known.lastState ?? {}) : {};
}

/** `registry/app@sha256:…` of `registry/app:1`. */
function imageId({ image }: ContainerRecord): string {
  const repository = image.reference.replace(/@.*$/, "").replace(/:[^/:]+$/, "");
  return `${repository}@${image.digest}`;
}

function idOf(record: ContainerRecord, runtimeName: string): string {
  return `${record.runtime ?? runtimeName}://${record.id}`;
}
