/** What the console and `tidegate rollout get` show of a rollout. Pure. */
import {
  type AnalysisRun,
  type AnalysisRunView,
  type CanaryStep,
  controllerOf,
  isPodReady,
  type Pod,
  podTemplateHashLabel,
  type RecordedEvent,
  type ReplicaSet,
  revisionAnnotation,
  type Rollout,
  type RolloutAction,
  type RolloutDetail,
  type RolloutRevisionView,
  type RolloutStepView,
  type RolloutSummary,
} from "#api";
import { rolloutPhase } from "#rollouts";

export interface ObservedRolloutView {
  readonly rollout: Rollout;
  /** Owned by the rollout. */
  readonly replicaSets: readonly ReplicaSet[];
  readonly pods: readonly Pod[];
  readonly analysisRuns: readonly AnalysisRun[];
  /** `rollout-*` events of this rollout, oldest first. */
  readonly events: readonly RecordedEvent[];
}

export function rolloutSummary(rollout: Rollout, replicaSets: readonly ReplicaSet[]): RolloutSummary {
  const { status, spec, metadata } = rollout;
  const steps = spec.strategy.canary?.steps ?? [];
  const index = Math.min(status?.currentStepIndex ?? 0, steps.length);
  const stable = status?.stableRS === status?.currentPodHash;
  const setWeights = steps.slice(0, index + 1).flatMap((step) => step.setWeight ?? []);
  const { phase, message } = rolloutPhase(rollout);
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    phase,
    message,
    strategy: "canary",
    stepIndex: index,
    stepCount: steps.length,
    setWeight: stable || index >= steps.length ? 100 : status?.abort === true ? 0 : (setWeights.at(-1) ?? 0),
    actualWeight: stable ? 100 : (status?.canary?.weights?.canary.weight ?? 0),
    desired: spec.replicas ?? 1,
    current: status?.replicas ?? 0,
    updated: status?.updatedReplicas ?? 0,
    ready: status?.readyReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
    images: imagesOf(rollout, replicaSets),
  };
}

export function rolloutDetail(observed: ObservedRolloutView): RolloutDetail {
  const { rollout, replicaSets, pods, analysisRuns, events } = observed;
  const summary = rolloutSummary(rollout, replicaSets);
  return {
    ...summary,
    steps: stepViews(rollout, summary),
    revisions: replicaSets.map((set) => revisionView(rollout, set, pods)).sort((a, b) => b.revision - a.revision),
    analysisRuns: analysisRuns.map(analysisView).sort((a, b) => ((a.startedAt ?? "") < (b.startedAt ?? "") ? 1 : -1)),
    weights: events.map(({ at, data }) => ({
      at,
      weight: Number(data["weight"] ?? 0),
      podHash: String(data["podHash"] ?? ""),
    })),
    actions: actionsOf(rollout, summary),
  };
}

function stepViews(rollout: Rollout, summary: RolloutSummary): RolloutStepView[] {
  const stable = rollout.status?.stableRS === rollout.status?.currentPodHash;
  const aborted = rollout.status?.abort === true;
  return (rollout.spec.strategy.canary?.steps ?? []).map((step, index) => {
    const title = stepTitle(step);
    if (stable || index < summary.stepIndex) return { index, title, state: "done" };
    if (index > summary.stepIndex) return { index, title, state: "waiting" };
    return { index, title, state: aborted ? "failed" : "current" };
  });
}

function stepTitle(step: CanaryStep): string {
  if (step.setWeight !== undefined) return `setWeight: ${step.setWeight}`;
  if (step.pause !== undefined) return step.pause.duration === undefined ? "pause" : `pause: ${step.pause.duration}`;
  const names = (step.analysis?.templates ?? []).map((template) => template.templateName).join(", ");
  return names === "" ? "analysis" : `analysis: ${names}`;
}

function rolesOf(rollout: Rollout, podHash: string): ("stable" | "canary")[] {
  const { stableRS, currentPodHash } = rollout.status ?? {};
  if (podHash === stableRS) return ["stable"];
  return podHash === currentPodHash ? ["canary"] : [];
}

function imagesOf(rollout: Rollout, replicaSets: readonly ReplicaSet[]): RolloutSummary["images"] {
  const roles = new Map<string, Set<string>>();
  for (const set of replicaSets) {
    if ((set.spec.replicas ?? 0) === 0) continue;
    for (const { image } of set.spec.template.spec.containers) {
      const known = roles.get(image) ?? new Set();
      for (const role of rolesOf(rollout, hashOf(set))) known.add(role);
      roles.set(image, known);
    }
  }
  return [...roles].map(([image, names]) => ({ image, roles: [...names] }));
}

function hashOf(object: ReplicaSet | Pod | AnalysisRun): string {
  return object.metadata.labels?.[podTemplateHashLabel] ?? "";
}

function revisionView(rollout: Rollout, set: ReplicaSet, pods: readonly Pod[]): RolloutRevisionView {
  const mine = pods.filter((pod) => controllerOf(pod)?.uid === set.metadata.uid);
  return {
    revision: Number(set.metadata.annotations?.[revisionAnnotation] ?? 0),
    podHash: hashOf(set),
    replicaSet: set.metadata.name,
    roles: rolesOf(rollout, hashOf(set)),
    images: set.spec.template.spec.containers.map((container) => container.image),
    desired: set.spec.replicas ?? 1,
    ready: set.status?.readyReplicas ?? 0,
    available: set.status?.availableReplicas ?? 0,
    createdAt: set.metadata.creationTimestamp ?? "",
    pods: mine.map((pod) => ({
      name: pod.metadata.name,
      phase: pod.metadata.deletionTimestamp === undefined ? (pod.status?.phase ?? "Pending") : "Terminating",
      ready: isPodReady(pod),
      restarts: (pod.status?.containerStatuses ?? []).reduce((sum, container) => sum + container.restartCount, 0),
    })),
  };
}

function analysisView(run: AnalysisRun): AnalysisRunView {
  const { status } = run;
  return {
    name: run.metadata.name,
    podHash: hashOf(run),
    phase: status?.phase ?? "Pending",
    message: status?.message ?? "",
    ...(status?.startedAt === undefined ? {} : { startedAt: status.startedAt }),
    ...(status?.completedAt === undefined ? {} : { completedAt: status.completedAt }),
    role: run.metadata.labels?.["rollout-type"] ?? "",
    metrics: run.spec.metrics.map((metric) => {
      const result = status?.metricResults?.find((found) => found.name === metric.name);
      return {
        name: metric.name,
        phase: result?.phase ?? "Pending",
        ...(metric.successCondition === undefined ? {} : { successCondition: metric.successCondition }),
        ...(metric.failureCondition === undefined ? {} : { failureCondition: metric.failureCondition }),
        measurements: (result?.measurements ?? []).map(({ phase, value, message, startedAt, finishedAt }) => ({
          phase,
          value: value ?? "",
          ...(message === undefined ? {} : { message }),
          ...(startedAt === undefined ? {} : { startedAt }),
          ...(finishedAt === undefined ? {} : { finishedAt }),
        })),
      };
    }),
  };
}

/** What makes sense now; the rest is not offered. */
function actionsOf(rollout: Rollout, summary: RolloutSummary): RolloutAction[] {
  const { status, spec } = rollout;
  const stable = status?.stableRS === status?.currentPodHash;
  if (status?.abort === true) return ["retry", "promote-full", "undo"];
  if (stable) return ["restart", "undo"];
  const paused = spec.paused === true || (status?.pauseConditions ?? []).length > 0;
  const resume: RolloutAction = paused || summary.phase === "Paused" ? "resume" : "pause";
  return ["promote", "promote-full", "abort", resume];
}
