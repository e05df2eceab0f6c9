/** The pod status that says what was observed: pure. Words and rules are kubelet's. */
import type { PodStatus } from "#api";
import { toTimestamp } from "#lib";
import { containerStatus } from "./container-status.ts";
import { initProgress } from "./init-progress.ts";
import { deadlinePassed, isFinished, type PodObserved } from "./plan-pod.ts";
import { podConditions } from "./pod-conditions.ts";
import { podPhase } from "./pod-phase.ts";

export interface NodeFacts {
  readonly runtimeName: string;
  readonly hostIp: string;
  /** Undefined until the pod has its place. */
  readonly podIp: string | undefined;
}

/** Conditions of others (a readiness gate's, an eviction's) stay as they are, after the node's own. */
export function podStatus(observed: PodObserved, node: NodeFacts): PodStatus {
  const { pod, nowMs } = observed;
  const { pending } = initProgress(observed);
  const { runtimeName } = node;
  const initialized = pending === undefined;
  const { containers: specs, initContainers = [] } = pod.spec;
  const containers = specs.map((container) => containerStatus(observed, container, { runtimeName, initialized }));
  const inits = initContainers.map((container) =>
    containerStatus(observed, container, { runtimeName, initialized: true }),
  );
  const expired = deadlinePassed(observed);
  const isTerminal = pod.metadata.deletionTimestamp !== undefined || isFinished(observed);
  const phase = expired && noneRuns(observed) ? "Failed" : podPhase({ pod, containers, inits, isTerminal });
  const placed = node.podIp !== undefined;
  const own = podConditions({ pod, nowMs, phase, containers, inits, placed, initialized });
  const others = (pod.status?.conditions ?? []).filter(({ type }) => !own.some((condition) => condition.type === type));
  return {
    ...pod.status,
    phase,
    conditions: [...own, ...others],
    hostIP: node.hostIp,
    hostIPs: [{ ip: node.hostIp }],
    ...(node.podIp === undefined ? {} : { podIP: node.podIp, podIPs: [{ ip: node.podIp }] }),
    startTime: pod.status?.startTime ?? toTimestamp(Temporal.Instant.fromEpochMilliseconds(nowMs)),
    containerStatuses: containers,
    ...(inits.length === 0 ? {} : { initContainerStatuses: inits }),
    ...(expired
      ? { reason: "DeadlineExceeded", message: "Pod was active on the node longer than the specified deadline" }
      : {}),
  };
}

function noneRuns(observed: PodObserved): boolean {
  return observed.records.every((record) => record.state.kind === "exited");
}
