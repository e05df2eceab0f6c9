/**
 * What to do for a pod next: pure. Called whenever anything about the pod changed; it says what is missing now, never
 * what was asked before.
 *
 * A pod goes: bound → init containers one after another → containers → (deletion asked) out of traffic → containers
 * stopped → gone. Containers start, end and restart by the restart policy in between.
 */
import type { Container, Pod } from "#api";
import type { ContainerRecord } from "../ports.ts";
import { restartOf } from "./restart.ts";

/** Why a container could not be started, and when to try again. */
export interface StartFailure {
  readonly reason: string;
  readonly message: string;
  readonly retryAtMs: number;
  /** Failures in a row. */
  readonly count: number;
  /** Waits for a ConfigMap or Secret rather than for time. */
  readonly ofConfiguration: boolean;
}

export interface ProbeVerdicts {
  readonly startup: boolean | undefined;
  readonly readiness: boolean | undefined;
  readonly liveness: boolean | undefined;
}

export interface PodObserved {
  readonly pod: Pod;
  readonly nowMs: number;
  /** The runtime's, oldest attempt first. */
  readonly records: readonly ContainerRecord[];
  /** By container name. */
  readonly failures: ReadonlyMap<string, StartFailure>;
  /** By container id. */
  readonly probes: ReadonlyMap<string, ProbeVerdicts>;
  /** Names of containers that are being started. */
  readonly starting: ReadonlySet<string>;
  /** Ids of containers that are being stopped. */
  readonly stopping: ReadonlySet<string>;
  /** True once no router sends it requests, or the wait for that was given up. */
  readonly unrouted: "no" | "waiting" | "yes";
}

export type PodAction =
  | { readonly kind: "start"; readonly container: Container; readonly attempt: number; readonly streak: number }
  | { readonly kind: "stop"; readonly record: ContainerRecord; readonly graceMs: number; readonly message: string }
  | { readonly kind: "unroute" }
  /** Earlier attempts whose log nobody can ask for any more. */
  | { readonly kind: "forget"; readonly record: ContainerRecord }
  /** Everything of it has ended: take it out of the store. */
  | { readonly kind: "finish" };

export interface PodPlan {
  readonly actions: readonly PodAction[];
  /** Plan again then, even if nothing changes. */
  readonly wakeAtMs: number | undefined;
}

export function planPod(observed: PodObserved): PodPlan {
  if (observed.pod.metadata.deletionTimestamp !== undefined) return { actions: planEnd(observed), wakeAtMs: undefined };
  if (deadlinePassed(observed))
    return { actions: stopAll(observed, "Pod was active longer than its deadline"), wakeAtMs: undefined };
  if (isFinished(observed)) return { actions: [], wakeAtMs: undefined };
  const plans = due(observed).map((container) => planContainer(observed, container));
  const deadline = deadlineMs(observed.pod);
  const wakes = [...plans.map(({ wakeAtMs }) => wakeAtMs), deadline].filter((atMs) => atMs !== undefined);
  return {
    actions: [...plans.flatMap(({ actions }) => actions), ...forgettable(observed)],
    wakeAtMs: wakes.length === 0 ? undefined : Math.min(...wakes),
  };
}

/** The record of the container's latest attempt. */
export function latest(observed: Pick<PodObserved, "records">, name: string): ContainerRecord | undefined {
  return observed.records.findLast((record) => record.name === name);
}

/** The first init container that has not succeeded; undefined when all have, or when containers already ran. */
export function pendingInit(observed: Pick<PodObserved, "pod" | "records">): Container | undefined {
  const { containers, initContainers = [] } = observed.pod.spec;
  if (containers.some(({ name }) => latest(observed, name) !== undefined)) return undefined;
  return initContainers.find(({ name }) => {
    const state = latest(observed, name)?.state;
    return state?.kind !== "exited" || state.exitCode !== 0;
  });
}

/** Every container ended and none will run again. */
export function isFinished(observed: Pick<PodObserved, "pod" | "records">): boolean {
  const { spec, status } = observed.pod;
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return true;
  const init = pendingInit(observed);
  if (init !== undefined) return rests(observed, init, true);
  return spec.containers.every((container) => rests(observed, container, false));
}

function rests(observed: Pick<PodObserved, "pod" | "records">, container: Container, isInit: boolean): boolean {
  const record = latest(observed, container.name);
  if (record?.state.kind !== "exited") return false;
  return restartOf(record, policyOf(observed.pod, isInit)) === undefined;
}

/** Init containers of an `Always` pod are retried until they succeed, then rest. */
export function policyOf(pod: Pod, isInit: boolean): "Always" | "OnFailure" | "Never" {
  const policy = pod.spec.restartPolicy ?? "Always";
  return isInit && policy === "Always" ? "OnFailure" : policy;
}

function due(observed: PodObserved): readonly Container[] {
  const init = pendingInit(observed);
  return init === undefined ? observed.pod.spec.containers : [init];
}

function planContainer(observed: PodObserved, container: Container): PodPlan {
  const { name } = container;
  const none: PodPlan = { actions: [], wakeAtMs: undefined };
  if (observed.starting.has(name)) return none;
  const record = latest(observed, name);
  if (record?.state.kind === "running")
    return { actions: planRunning(observed, container, record), wakeAtMs: undefined };
  const isInit = !observed.pod.spec.containers.includes(container);
  const restart = record === undefined ? undefined : restartOf(record, policyOf(observed.pod, isInit));
  if (record !== undefined && restart === undefined) return none;
  const failure = observed.failures.get(name);
  const atMs = Math.max(restart?.atMs ?? 0, failure?.retryAtMs ?? 0);
  if (atMs > observed.nowMs) return { actions: [], wakeAtMs: Number.isFinite(atMs) ? atMs : undefined };
  const attempt = record === undefined ? 0 : record.attempt + 1;
  return { actions: [{ kind: "start", container, attempt, streak: restart?.streak ?? 0 }], wakeAtMs: undefined };
}

function planRunning(observed: PodObserved, container: Container, record: ContainerRecord): PodAction[] {
  if (observed.stopping.has(record.id)) return [];
  const verdicts = observed.probes.get(record.id);
  const failed = verdicts?.startup === false ? "startup" : verdicts?.liveness === false ? "liveness" : undefined;
  if (failed === undefined) return [];
  const probe = failed === "startup" ? container.startupProbe : container.livenessProbe;
  const seconds = probe?.terminationGracePeriodSeconds ?? observed.pod.spec.terminationGracePeriodSeconds ?? 30;
  const message = `Container ${container.name} failed ${failed} probe, will be restarted`;
  return [{ kind: "stop", record, graceMs: seconds * 1000, message }];
}

/** First out of traffic, then stopped, then gone: in this order no request meets a closed door. */
function planEnd(observed: PodObserved): PodAction[] {
  const running = observed.records.filter((record) => record.state.kind === "running");
  if (running.length === 0) return observed.starting.size > 0 ? [] : [{ kind: "finish" }];
  if (observed.unrouted === "no") return [{ kind: "unroute" }];
  if (observed.unrouted === "waiting") return [];
  return stopAll(observed, undefined);
}

function stopAll(observed: PodObserved, message: string | undefined): PodAction[] {
  const { metadata, spec } = observed.pod;
  const seconds = metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
  return observed.records
    .filter((record) => record.state.kind === "running" && !observed.stopping.has(record.id))
    .map((record) => ({
      kind: "stop",
      record,
      graceMs: seconds * 1000,
      message: message ?? `Stopping container ${record.name}`,
    }));
}

/** The present attempt and the one before it (`kubectl logs --previous`) are kept. */
function forgettable(observed: PodObserved): PodAction[] {
  return observed.records
    .filter((record) => {
      const last = latest(observed, record.name)?.attempt ?? 0;
      return record.state.kind === "exited" && record.attempt < last - 1;
    })
    .map((record) => ({ kind: "forget", record }));
}

function deadlineMs(pod: Pod): number | undefined {
  const seconds = pod.spec.activeDeadlineSeconds;
  const startTime = pod.status?.startTime;
  if (seconds === undefined || startTime === undefined) return undefined;
  return Temporal.Instant.from(startTime).epochMilliseconds + seconds * 1000;
}

export function deadlinePassed(observed: Pick<PodObserved, "pod" | "nowMs">): boolean {
  const atMs = deadlineMs(observed.pod);
  const phase = observed.pod.status?.phase;
  if (phase === "Succeeded") return false;
  return atMs !== undefined && observed.nowMs >= atMs;
}
