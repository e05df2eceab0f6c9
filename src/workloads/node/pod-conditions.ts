/** The conditions of a pod that are the node's to say: pure. Words, rules and order are kubelet's. */
import type { Condition, ContainerStatus, Pod, PodPhase } from "#api";
import { toTimestamp } from "#lib";
import { isSidecar } from "./init-progress.ts";

export interface ConditionsInput {
  readonly pod: Pod;
  readonly nowMs: number;
  readonly phase: PodPhase;
  readonly containers: readonly ContainerStatus[];
  readonly inits: readonly ContainerStatus[];
  /** The pod has its place and address. */
  readonly placed: boolean;
  /** A container has run, so that its init containers are over. */
  readonly initialized: boolean;
}

export function podConditions(input: ConditionsInput): Condition[] {
  const containersReady = containersReadyCondition(input);
  const wanted: Omit<Condition, "lastTransitionTime">[] = [
    { type: "PodReadyToStartContainers", status: input.placed ? "True" : "False" },
    { type: "Initialized", ...initializedCondition(input) },
    { type: "Ready", ...(containersReady.status === "True" ? gatesCondition(input.pod) : containersReady) },
    { type: "ContainersReady", ...containersReady },
    { type: "PodScheduled", status: "True" },
  ];
  const known = input.pod.status?.conditions ?? [];
  const now = toTimestamp(Temporal.Instant.fromEpochMilliseconds(input.nowMs));
  return wanted.map((condition) => {
    const old = known.find(({ type }) => type === condition.type);
    return {
      ...condition,
      lastTransitionTime: old?.status === condition.status ? (old.lastTransitionTime ?? now) : now,
    };
  });
}

type Verdict = Omit<Condition, "type" | "lastTransitionTime">;

const fine: Verdict = { status: "True" };

function containersReadyCondition({ pod, phase, containers, inits }: ConditionsInput): Verdict {
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  if (phase === "Succeeded") return { status: "False", reason: "PodCompleted" };
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  const counted = [...inits.filter(({ name }) => sidecars.has(name)), ...containers];
  const unready = counted.filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return fine;
  const message = `containers with unready status: [${unready.join(" ")}]`;
  return { status: "False", reason: "ContainersNotReady", message };
}

function gatesCondition({ spec, status }: Pod): Verdict {
  const messages = (spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const found = status?.conditions?.find(({ type }) => type === conditionType);
    if (found === undefined) {
      return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    }
    if (found.status === "True") return [];
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`];
  });
  if (messages.length === 0) return fine;
  return { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}

function initializedCondition({ pod, phase, inits, initialized }: ConditionsInput): Verdict {
  if (phase === "Succeeded") return { status: "True", reason: "PodCompleted" };
  if (initialized) return fine;
  const incomplete = (pod.spec.initContainers ?? [])
    .filter((container) => {
      const status = inits.find(({ name }) => name === container.name);
      return isSidecar(container) ? status?.started !== true : status?.ready !== true;
    })
    .map(({ name }) => name);
  if (incomplete.length === 0) return fine;
  const message = `containers with incomplete status: [${incomplete.join(" ")}]`;
  return { status: "False", reason: "ContainersNotInitialized", message };
}
