/** The pod status that says what was observed: pure. Words and rules are kubelet's. */
import type { Condition, Container, ContainerState, ContainerStatus, Pod, PodPhase, PodStatus } from "#api";
import { toTimestamp } from "#lib";
import type { ContainerRecord } from "../ports.ts";
import { deadlinePassed, isFinished, latest, pendingInit, policyOf, type PodObserved } from "./plan-pod.ts";
import { restartOf } from "./restart.ts";

export interface NodeFacts {
  readonly runtimeName: string;
  readonly hostIp: string;
  /** Undefined until the pod has its place. */
  readonly podIp: string | undefined;
}

export function podStatus(observed: PodObserved, node: NodeFacts): PodStatus {
  const { pod } = observed;
  const init = pendingInit(observed);
  const initialized = init === undefined;
  const containers = pod.spec.containers.map((container) => containerStatus(observed, container, node, initialized));
  const inits = (pod.spec.initContainers ?? []).map((container) => containerStatus(observed, container, node, true));
  const expired = deadlinePassed(observed);
  const phase = expired && noneRuns(observed) ? "Failed" : podPhase(observed, containers, init);
  return {
    ...pod.status,
    phase,
    conditions: podConditions(observed, containers, phase, init),
    hostIP: node.hostIp,
    ...(node.podIp === undefined ? {} : { podIP: node.podIp, podIPs: [{ ip: node.podIp }] }),
    startTime: pod.status?.startTime ?? toTimestamp(Temporal.Instant.fromEpochMilliseconds(observed.nowMs)),
    containerStatuses: containers,
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
    ...(expired
      ? { reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" }
      : {}),
    qosClass: qosClass(pod),
  };
}

function noneRuns(observed: PodObserved): boolean {
  return observed.records.every((record) => record.state.kind === "exited");
}

function containerStatus(
  observed: PodObserved,
  container: Container,
  node: NodeFacts,
  initialized: boolean,
): ContainerStatus {
  const record = latest(observed, container.name);
  const known = knownStatus(observed.pod, container.name);
  const running = record?.state.kind === "running";
  const isInit = !observed.pod.spec.containers.includes(container);
  const verdicts = record === undefined ? undefined : observed.probes.get(record.id);
  const started = running && (container.startupProbe === undefined || verdicts?.startup === true);
  const ready = running && started && (container.readinessProbe === undefined || verdicts?.readiness === true);
  const restarting = record !== undefined && observed.stopping.has(record.id) && !isEnding(observed.pod);
  const lastState = lastStateOf(observed, container, record, known, node);
  return {
    name: container.name,
    image: container.image,
    imageID: record === undefined ? "" : imageId(record),
    ...(record === undefined ? {} : { containerID: `${node.runtimeName}://${record.id}` }),
    ready: isInit ? record?.state.kind === "exited" && record.state.exitCode === 0 : ready && !restarting,
    started,
    restartCount: record?.attempt ?? 0,
    state: stateOf(observed, container, record, initialized, isInit),
    lastState,
  };
}

function isEnding(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

function knownStatus(pod: Pod, name: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  return [...containerStatuses, ...initContainerStatuses].find((status) => status.name === name);
}

function stateOf(
  observed: PodObserved,
  container: Container,
  record: ContainerRecord | undefined,
  initialized: boolean,
  isInit: boolean,
): ContainerState {
  if (record?.state.kind === "running") return { running: { startedAt: toTimestamp(record.state.startedAt) } };
  const failure = observed.failures.get(container.name);
  if (failure !== undefined) return { waiting: { reason: failure.reason, message: failure.message } };
  if (record === undefined) return { waiting: { reason: initialized ? "ContainerCreating" : "PodInitializing" } };
  const restart = isEnding(observed.pod) ? undefined : restartOf(record, policyOf(observed.pod, isInit));
  if (restart === undefined || restart.delayMs === 0 || isFinished(observed)) return terminatedState(record, "");
  const { namespace, name, uid } = observed.pod.metadata;
  const pause = restart.delayMs >= 300_000 ? "5m0s" : goSeconds(restart.delayMs / 1000);
  const message = `back-off ${pause} restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
  return { waiting: { reason: "CrashLoopBackOff", message } };
}

/** `40s`, `1m20s`: as Go prints a duration. */
function goSeconds(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}

function terminatedState(record: ContainerRecord, containerId: string): ContainerState {
  if (record.state.kind !== "exited") return {};
  const { exitCode, startedAt, finishedAt, witnessed } = record.state;
  const terminated = {
    exitCode,
    reason: witnessed ? (exitCode === 0 ? "Completed" : "Error") : "ContainerStatusUnknown",
    ...(witnessed ? {} : { message: "The container could not be located when the pod was terminated" }),
    startedAt: toTimestamp(startedAt),
    finishedAt: toTimestamp(finishedAt),
    ...(containerId === "" ? {} : { containerID: containerId }),
  };
  return { terminated };
}

/** How the attempt before the one that `state` is about ended. */
function lastStateOf(
  observed: PodObserved,
  container: Container,
  record: ContainerRecord | undefined,
  known: ContainerStatus | undefined,
  node: NodeFacts,
): ContainerState {
  if (record === undefined) return {};
  const waits = stateOf(observed, container, record, true, false).waiting !== undefined;
  const before = waits
    ? record
    : observed.records.find((other) => other.name === record.name && other.attempt === record.attempt - 1);
  if (before !== undefined) return terminatedState(before, `${node.runtimeName}://${before.id}`);
  return record.attempt > 0 && known?.restartCount === record.attempt ? (known.lastState ?? {}) : {};
}

/** `registry/app@sha256:…` of `registry/app:1`. */
function imageId({ image }: ContainerRecord): string {
  const repository = image.reference.replace(/@.*$/, "").replace(/:[^/:]+$/, "");
  return `${repository}@${image.digest}`;
}

function podPhase(
  observed: PodObserved,
  containers: readonly ContainerStatus[],
  init: Container | undefined,
): PodPhase {
  const { phase } = observed.pod.status ?? {};
  if (phase === "Succeeded" || phase === "Failed") return phase;
  if (init !== undefined) return isFinished(observed) ? "Failed" : "Pending";
  const policy = policyOf(observed.pod, false);
  const ended = containers.filter(({ state, lastState }) => state?.terminated ?? lastState?.terminated);
  if (containers.some(({ state, lastState }) => state?.waiting && !lastState?.terminated)) return "Pending";
  if (containers.some(({ state }) => state?.running)) return "Running";
  if (policy === "Always" && !isEnding(observed.pod)) return "Running";
  if (ended.every(({ state }) => state?.terminated?.exitCode === 0)) return "Succeeded";
  return policy === "Never" || isEnding(observed.pod) ? "Failed" : "Running";
}

function podConditions(
  observed: PodObserved,
  containers: readonly ContainerStatus[],
  phase: PodPhase,
  init: Container | undefined,
): Condition[] {
  const unready = containers.filter(({ ready }) => !ready).map(({ name }) => name);
  const done = phase === "Succeeded" || phase === "Failed";
  const notReady = done
    ? { reason: "PodCompleted" }
    : { reason: "ContainersNotReady", message: `containers with unready status: [${unready.join(" ")}]` };
  const ready = unready.length === 0 && !done;
  const initialized = init === undefined;
  const incomplete = {
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${init?.name}]`,
  };
  const wanted: Condition[] = [
    { type: "Initialized", ...truth(initialized, incomplete) },
    { type: "Ready", ...truth(ready, notReady) },
    { type: "ContainersReady", ...truth(ready, notReady) },
    { type: "PodScheduled", status: "True" },
  ];
  const known = observed.pod.status?.conditions ?? [];
  const now = toTimestamp(Temporal.Instant.fromEpochMilliseconds(observed.nowMs));
  const ours = wanted.map((condition) => {
    const old = known.find(({ type }) => type === condition.type);
    const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? now) : now;
    return { ...condition, lastTransitionTime };
  });
  return [...ours, ...known.filter(({ type }) => !wanted.some((condition) => condition.type === type))];
}

function truth(value: boolean, otherwise: { reason: string; message?: string }): Omit<Condition, "type"> {
  return value ? { status: "True" } : { status: "False", ...otherwise };
}

function qosClass(pod: Pod): string {
  const resources = pod.spec.containers.map((container) => container.resources ?? {});
  const given = new Set(resources.flatMap(({ limits, requests }) => Object.keys({ ...limits, ...requests })));
  if (!given.has("cpu") && !given.has("memory")) return "BestEffort";
  const guaranteed = resources.every(({ limits = {}, requests = {} }) =>
    ["cpu", "memory"].every((name) => limits[name] !== undefined && (requests[name] ?? limits[name]) === limits[name]),
  );
  return guaranteed ? "Guaranteed" : "Burstable";
}
