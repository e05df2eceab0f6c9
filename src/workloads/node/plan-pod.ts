/**
 * What to do for a pod next: pure. Called whenever anything about the pod changed; it says what is missing now, never
 * what was asked before.
 *
 * A pod goes: bound → init containers one after another, sidecars among them going on → containers → (all ended, or
 * deletion asked) out of traffic → stopped, sidecars last → gone. Containers start, end and restart by the restart
 * policy in between.
 */
import type { Container, Pod } from "#api";
import type { ContainerRecord } from "../ports.ts";
import { endsAfter, initProgress, isSidecar, latest } from "./init-progress.ts";
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
  /** What ended containers said last, by container id. */
  readonly lastWords: ReadonlyMap<string, string>;
  /** Names of containers that are being started. */
  readonly starting: ReadonlySet<string>;
  /** Ids of containers that are being stopped, with the grace they were given, in ms. */
  readonly stopping: ReadonlyMap<string, number>;
  /** True once no router sends it requests, or the wait for that was given up. */
  readonly unrouted: "no" | "waiting" | "yes";
}

export interface StopAction {
  readonly kind: "stop";
  readonly record: ContainerRecord;
  readonly graceMs: number;
  readonly message: string;
  /** Names of containers that end before it. */
  readonly after: readonly string[];
}

export type PodAction =
  | { readonly kind: "start"; readonly container: Container; readonly attempt: number; readonly streak: number }
  | StopAction
  /** Waits to be restarted: told once an attempt. */
  | { readonly kind: "backOff"; readonly record: ContainerRecord }
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
  const { metadata, status } = observed.pod;
  if (metadata.deletionTimestamp !== undefined) return { actions: planEnd(observed), wakeAtMs: undefined };
  // Also what was found running after a crash between the last word on a pod and its end.
  const ended = deadlinePassed(observed) || isFinished(observed) || status?.phase === "Failed";
  if (ended) return { actions: stopAll(observed), wakeAtMs: undefined };
  const plans = initProgress(observed).due.map((container) => planContainer(observed, container));
  const deadline = deadlineMs(observed.pod);
  const wakes = [...plans.map(({ wakeAtMs }) => wakeAtMs), deadline].filter((atMs) => atMs !== undefined);
  return {
    actions: [...plans.flatMap(({ actions }) => actions), ...forgettable(observed)],
    wakeAtMs: wakes.length === 0 ? undefined : Math.min(...wakes),
  };
}

/** Every container ended and none will run again; sidecars, which do not count, may still run. */
export function isFinished(observed: Pick<PodObserved, "pod" | "records" | "probes" | "starting">): boolean {
  const { spec, status } = observed.pod;
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return true;
  const { pending } = initProgress(observed);
  if (pending !== undefined) return !isSidecar(pending) && rests(observed, pending, true);
  return spec.containers.every((container) => rests(observed, container, false));
}

function rests(observed: Pick<PodObserved, "pod" | "records">, container: Container, isInit: boolean): boolean {
  const record = latest(observed, container.name);
  if (record?.state.kind !== "exited") return false;
  return restartOf(record, policyOf(observed.pod, container, isInit)) === undefined;
}

/** Sidecars run always; init containers of an `Always` pod are retried until they succeed, then rest. */
export function policyOf(pod: Pod, container: Container, isInit: boolean): "Always" | "OnFailure" | "Never" {
  if (isInit && isSidecar(container)) return "Always";
  const policy = pod.spec.restartPolicy ?? "Always";
  return isInit && policy === "Always" ? "OnFailure" : policy;
}

export function isInitContainer(pod: Pod, { name }: Container): boolean {
  return (pod.spec.initContainers ?? []).some((container) => container.name === name);
}

function planContainer(observed: PodObserved, container: Container): PodPlan {
  const { name } = container;
  const none: PodPlan = { actions: [], wakeAtMs: undefined };
  if (observed.starting.has(name)) return none;
  const record = latest(observed, name);
  if (record?.state.kind === "running")
    return { actions: planRunning(observed, container, record), wakeAtMs: undefined };
  const policy = policyOf(observed.pod, container, isInitContainer(observed.pod, container));
  const restart = record === undefined ? undefined : restartOf(record, policy);
  if (record !== undefined && restart === undefined) return none;
  const failure = observed.failures.get(name);
  const atMs = Math.max(restart?.atMs ?? 0, failure?.retryAtMs ?? 0);
  if (atMs > observed.nowMs) {
    const waits = record !== undefined && (restart?.delayMs ?? 0) > 0;
    return { actions: waits ? [{ kind: "backOff", record }] : [], wakeAtMs: Number.isFinite(atMs) ? atMs : undefined };
  }
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
  const message = isInitContainer(observed.pod, container)
    ? `Init container ${container.name} failed ${failed} probe`
    : `Container ${container.name} failed ${failed} probe, will be restarted`;
  return [{ kind: "stop", record, graceMs: seconds * 1000, message, after: [] }];
}

/** First out of traffic, then stopped, then gone: in this order no request meets a closed door. */
function planEnd(observed: PodObserved): PodAction[] {
  const running = observed.records.filter((record) => record.state.kind === "running");
  if (running.length === 0) return observed.starting.size > 0 ? [] : [{ kind: "finish" }];
  if (observed.unrouted === "no") return [{ kind: "unroute" }];
  if (observed.unrouted === "waiting") return [];
  return stopAll(observed);
}

/** A shorter grace than the one given (a second deletion) counts at once. */
function stopAll(observed: PodObserved): PodAction[] {
  const { metadata, spec } = observed.pod;
  const graceMs = (metadata.deletionGracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30) * 1000;
  return observed.records
    .filter((record) => record.state.kind === "running" && graceMs < (observed.stopping.get(record.id) ?? Infinity))
    .map((record) => ({
      kind: "stop",
      record,
      graceMs,
      message: `Stopping container ${record.name}`,
      after: endsAfter(observed.pod, record.name),
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
