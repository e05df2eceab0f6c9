/**
 * What an autoscaler does now: pure. From its target's scale, its pods and what their metrics say to the count of
 * replicas, the status that tells why, and the events, in upstream's words.
 */
import type { Condition, HorizontalPodAutoscaler, MetricStatus, Pod } from "#api";
import { toTimestamp } from "#lib";
import { applyBehaviour, type Limits, type Memory, remember } from "./behaviour.ts";
import { countFor, type MetricCount } from "./metric-counts.ts";
import type { MetricReading } from "./readings.ts";

export interface TargetScale {
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly selector: string;
}

export interface AutoscalerObserved {
  readonly autoscaler: HorizontalPodAutoscaler;
  readonly nowMs: number;
  readonly scale: TargetScale | { readonly problem: string };
  /** Of the target's selector; or why it cannot be read. */
  readonly pods: readonly Pod[] | { readonly problem: string };
  /** Other autoscalers whose targets have some of these pods. */
  readonly rivals: readonly string[];
  /** One for each metric of the spec, in order. */
  readonly readings: readonly MetricReading[];
  /** Undefined at the first look of this process. */
  readonly memory: Memory | undefined;
}

export interface AutoscalerEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

type Status = NonNullable<HorizontalPodAutoscaler["status"]>;

export interface AutoscalerPlan {
  /** The target is to have so many replicas, and why; undefined when nothing changes. */
  readonly rescale: { readonly from: number; readonly to: number; readonly reason: string } | undefined;
  /** What to write when that went well. */
  readonly status: Status;
  readonly memory: Memory | undefined;
  readonly events: readonly AutoscalerEvent[];
}

export function planAutoscaler(observed: AutoscalerObserved): AutoscalerPlan {
  const { autoscaler, scale, nowMs } = observed;
  const draft = new Draft(autoscaler, nowMs);
  if ("problem" in scale) {
    draft.tell("Warning", "FailedGetScale", scale.problem);
    const message = `the HPA controller was unable to get the target's current scale: ${scale.problem}`;
    draft.condition("AbleToScale", "False", "FailedGetScale", message);
    return draft.finish(undefined, observed.memory);
  }
  const able = "the HPA controller was able to get the target's current scale";
  draft.condition("AbleToScale", "True", "SucceededGetScale", able);
  const current = scale.specReplicas;
  const memory = observed.memory ?? { recommendations: [{ replicas: current, atMs: nowMs }], ups: [], downs: [] };
  const { minReplicas: min = 1, maxReplicas: max, behavior } = autoscaler.spec;
  const limits: Limits = { current, min, max, nowMs, behavior };
  if (current === 0 && min !== 0) {
    const message = "scaling is disabled since the replica count of the target is zero";
    draft.condition("ScalingActive", "False", "ScalingDisabled", message);
    return draft.settle(current, current, [], memory);
  }
  if (current > max) return rescale(draft, limits, max, "Current number of replicas above Spec.MaxReplicas", memory);
  if (current < min) return rescale(draft, limits, min, "Current number of replicas below Spec.MinReplicas", memory);
  const counted = countMetrics(observed, scale, draft);
  if (counted.wanted === undefined) {
    return draft.settle(current, autoscaler.status?.desiredReplicas ?? 0, counted.statuses, memory);
  }
  const verdict = applyBehaviour(counted.wanted.replicas, limits, memory);
  const next: Memory = { ...memory, recommendations: verdict.recommendations };
  draft.condition("AbleToScale", "True", verdict.able.reason, verdict.able.message);
  const { status, reason, message } = verdict.limited;
  draft.condition("ScalingLimited", status, reason, message);
  if (verdict.replicas === current) return draft.settle(current, current, counted.statuses, next);
  const why = counted.wanted.replicas > current ? `${counted.wanted.name} above target` : "All metrics below target";
  return rescale(draft, limits, verdict.replicas, why, next, counted.statuses);
}

function rescale(
  draft: Draft,
  limits: Limits,
  to: number,
  reason: string,
  memory: Memory,
  statuses: readonly (MetricStatus | null)[] = [],
): AutoscalerPlan {
  const from = limits.current;
  const message = `the HPA controller was able to update the target scale to ${to}`;
  draft.condition("AbleToScale", "True", "SucceededRescale", message);
  draft.tell("Normal", "SuccessfulRescale", `New size: ${to}; reason: ${reason}`);
  draft.counts(from, to, statuses, true);
  return draft.finish({ from, to, reason }, remember(memory, from, to, limits));
}

/** When the target could not be given its replicas after all. */
export function failedRescale(observed: AutoscalerObserved, plan: AutoscalerPlan, error: string): AutoscalerPlan {
  const draft = new Draft({ ...observed.autoscaler, status: plan.status }, observed.nowMs);
  const { from = 0, to = 0, reason = "" } = plan.rescale ?? {};
  const desired = observed.autoscaler.status?.desiredReplicas ?? from;
  draft.tell("Warning", "FailedRescale", `New size: ${to}; reason: ${reason}; error: ${error}`);
  const message = `the HPA controller was unable to update the target scale: ${error}`;
  draft.condition("AbleToScale", "False", "FailedUpdateScale", message);
  draft.counts(from, desired, plan.status.currentMetrics ?? [], false);
  const { lastScaleTime } = observed.autoscaler.status ?? {};
  const finished = draft.finish(undefined, observed.memory);
  const { lastScaleTime: _undone, ...status } = finished.status;
  return { ...finished, status: { ...status, ...(lastScaleTime === undefined ? {} : { lastScaleTime }) } };
}

interface CountedMetrics {
  /** The highest that was asked for; undefined when nothing may be done by what is known. */
  readonly wanted: { readonly replicas: number; readonly name: string } | undefined;
  readonly statuses: readonly (MetricStatus | null)[];
}

/** The highest count of those that could be had; a metric that cannot be had forbids going down, not going up. */
function countMetrics(observed: AutoscalerObserved, scale: TargetScale, draft: Draft): CountedMetrics {
  const { autoscaler, pods, readings, nowMs } = observed;
  const specs = autoscaler.spec.metrics ?? [];
  const refusal = selectorProblem(observed, scale);
  if (refusal !== undefined || "problem" in pods) {
    if (refusal !== undefined) tellSelector(draft, refusal);
    return { wanted: undefined, statuses: specs.map(() => null) };
  }
  const facts = { specReplicas: scale.specReplicas, statusReplicas: scale.statusReplicas, pods, nowMs };
  const counts = specs.map((spec, index): MetricCount => {
    const reading = readings[index] ?? { kind: "error", message: "it was not read" };
    return countFor(spec, reading, facts);
  });
  const statuses = counts.map((count) => (count.kind === "count" ? count.status : null));
  const problems = counts.filter((count) => count.kind === "problem");
  for (const { reason, message } of problems) draft.tell("Warning", reason, message);
  const found = counts.filter((count) => count.kind === "count");
  const wanted = found.reduce<CountedMetrics["wanted"]>(
    (best, count) => (best === undefined || count.replicas > best.replicas ? count : best),
    undefined,
  );
  const [first] = problems;
  if (first === undefined || (wanted !== undefined && wanted.replicas >= scale.specReplicas)) {
    const message = `the HPA was able to successfully calculate a replica count from ${wanted?.name ?? ""}`;
    draft.condition("ScalingActive", "True", "ValidMetricFound", message);
    return { wanted, statuses };
  }
  const message = `the HPA was unable to compute the replica count: ${first.message}`;
  draft.condition("ScalingActive", "False", first.reason, message);
  const summary = `invalid metrics (${problems.length} invalid out of ${specs.length}), first error is: ${first.summary}`;
  draft.tell("Warning", "FailedComputeMetricsReplicas", summary);
  return { wanted: undefined, statuses };
}

interface SelectorProblem {
  readonly reason: string;
  /** Reason and text of the event, where they differ from the condition's. */
  readonly event: string;
  readonly told: string;
  readonly message: string;
}

function tellSelector(draft: Draft, { reason, event, told, message }: SelectorProblem): void {
  draft.tell("Warning", event, told);
  draft.condition("ScalingActive", "False", reason, message);
  draft.tell("Warning", "FailedComputeMetricsReplicas", told);
}

function selectorProblem({ rivals, pods }: AutoscalerObserved, { selector }: TargetScale): SelectorProblem | undefined {
  if (selector === "") {
    const message = "the HPA target's scale is missing a selector";
    return { reason: "InvalidSelector", event: "SelectorRequired", told: "selector is required", message };
  }
  if ("problem" in pods) {
    const message = `couldn't convert selector into a corresponding internal selector object: ${pods.problem}`;
    return { reason: "InvalidSelector", event: "InvalidSelector", told: message, message };
  }
  if (rivals.length === 0) return undefined;
  const message = `pods by selector ${selector} are controlled by multiple HPAs: [${rivals.join(" ")}]`;
  return { reason: "AmbiguousSelector", event: "AmbiguousSelector", told: message, message };
}

/** The status as it comes to be: what is not said stays as it was. */
class Draft {
  readonly #now: string;
  readonly #events: AutoscalerEvent[] = [];
  #status: Status;

  constructor({ status }: HorizontalPodAutoscaler, nowMs: number) {
    this.#now = toTimestamp(Temporal.Instant.fromEpochMilliseconds(nowMs));
    this.#status = { ...status, desiredReplicas: status?.desiredReplicas ?? 0 };
  }

  tell(type: AutoscalerEvent["type"], reason: string, message: string): void {
    this.#events.push({ type, reason, message });
  }

  condition(type: string, status: "True" | "False", reason: string, message: string): void {
    const known = this.#status.conditions ?? [];
    const old = known.find((condition) => condition.type === type);
    const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? this.#now) : this.#now;
    const next: Condition = { type, status, lastTransitionTime, reason, message };
    const conditions = old === undefined ? [...known, next] : known.map((other) => (other === old ? next : other));
    this.#status = { ...this.#status, conditions };
  }

  counts(current: number, desired: number, statuses: readonly (MetricStatus | null)[], rescaled: boolean): void {
    this.#status = {
      ...this.#status,
      currentReplicas: current,
      desiredReplicas: desired,
      // One that could not be read is told by its type alone, as upstream's empty status is.
      currentMetrics:
        statuses.length === 0 ? null : statuses.map((status) => status ?? { type: "" as MetricStatus["type"] }),
      ...(rescaled ? { lastScaleTime: this.#now } : {}),
    };
  }

  settle(current: number, desired: number, statuses: readonly (MetricStatus | null)[], memory: Memory): AutoscalerPlan {
    this.counts(current, desired, statuses, false);
    return this.finish(undefined, memory);
  }

  finish(rescaled: AutoscalerPlan["rescale"], memory: Memory | undefined): AutoscalerPlan {
    return { rescale: rescaled, status: this.#status, memory, events: this.#events };
  }
}
