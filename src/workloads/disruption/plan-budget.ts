/** How many disruptions a budget allows now: pure, after upstream's disruption controller. */
import { type Condition, controllerOf, type IntOrString, isPodReady, type Pod, type PodDisruptionBudget } from "#api";
import { toTimestamp } from "#lib";

type Status = NonNullable<PodDisruptionBudget["status"]>;

export interface BudgetObserved {
  readonly budget: PodDisruptionBudget;
  /** Those it selects. */
  readonly pods: readonly Pod[];
  /** How many replicas the controller of a pod wants, by the controller's uid; undefined for one that nobody knows. */
  readonly scaleOf: (owner: {
    readonly kind: string;
    readonly name: string;
    readonly uid: string;
  }) => number | undefined;
  readonly nowMs: number;
}

interface BudgetEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export interface BudgetPlan {
  readonly status: Status;
  readonly events: readonly BudgetEvent[];
  /** When a pod that was let go and did not go counts again. */
  readonly recheckAtMs: number | undefined;
}

/** How long an eviction that was allowed may take to be a deletion. */
const deletionTimeoutMs = 120_000;

const unmanagedMessage = (selector: string): string =>
  `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;

export function planBudget(observed: BudgetObserved): BudgetPlan {
  const { budget, pods, nowMs } = observed;
  const events: BudgetEvent[] = [];
  if (pods.length === 0) events.push({ type: "Normal", reason: "NoPods", message: "No matching pods found" });
  const expected = expectedPods(observed);
  if ("problem" in expected) {
    const message = `Failed to calculate the number of expected pods: ${expected.problem}`;
    events.push({ type: "Warning", reason: "CalculateExpectedPodCountFailed", message });
    return { status: failedStatus(budget, expected.problem, nowMs), events, recheckAtMs: undefined };
  }
  if (expected.unmanaged) {
    const message = unmanagedMessage(JSON.stringify(budget.spec.selector ?? {}));
    events.push({ type: "Warning", reason: "UnmanagedPods", message });
  }
  const { disruptedPods, recheckAtMs, late } = disrupted(observed);
  for (const name of late) {
    const message = `Pod ${name} was expected by PDB ${budget.metadata.namespace}/${budget.metadata.name} to be deleted but it wasn't`;
    events.push({ type: "Warning", reason: "NotDeleted", message });
  }
  const currentHealthy = pods.filter(
    (pod) => pod.metadata.deletionTimestamp === undefined && !(pod.metadata.name in disruptedPods) && isPodReady(pod),
  ).length;
  const { desiredHealthy, expectedPods: count } = expected;
  const disruptionsAllowed = count <= 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const facts = { currentHealthy, desiredHealthy, expectedPods: count, disruptionsAllowed };
  const enough = disruptionsAllowed > 0;
  const condition = allowedCondition(budget, enough, enough ? "SufficientPods" : "InsufficientPods", "", nowMs);
  return { status: statusOf(budget, facts, disruptedPods, condition), events, recheckAtMs };
}

type Expected =
  | { readonly expectedPods: number; readonly desiredHealthy: number; readonly unmanaged: boolean }
  | { readonly problem: string };

function expectedPods(observed: BudgetObserved): Expected {
  const { budget, pods } = observed;
  const { minAvailable, maxUnavailable } = budget.spec;
  if (maxUnavailable !== undefined) {
    const scale = expectedScale(observed);
    if ("problem" in scale) return scale;
    const desiredHealthy = Math.max(0, scale.expectedPods - shareOf(maxUnavailable, scale.expectedPods));
    return { ...scale, desiredHealthy };
  }
  if (typeof minAvailable === "number") {
    return { expectedPods: pods.length, desiredHealthy: minAvailable, unmanaged: false };
  }
  if (minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0, unmanaged: false };
  const scale = expectedScale(observed);
  return "problem" in scale ? scale : { ...scale, desiredHealthy: shareOf(minAvailable, scale.expectedPods) };
}

/** What the controllers of the pods want together: the whole that a percentage is of. */
function expectedScale({
  pods,
  scaleOf,
}: BudgetObserved): { expectedPods: number; unmanaged: boolean } | { problem: string } {
  const scales = new Map<string, number>();
  let unmanaged = false;
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) {
      unmanaged = true;
      continue;
    }
    if (scales.has(owner.uid)) continue;
    const scale = scaleOf(owner);
    if (scale === undefined) return { problem: `found no controllers for pod "${pod.metadata.name}"` };
    scales.set(owner.uid, scale);
  }
  return { expectedPods: [...scales.values()].reduce((sum, scale) => sum + scale, 0), unmanaged };
}

/** A number as it is, a percentage rounded up. */
function shareOf(value: IntOrString, total: number): number {
  if (typeof value === "number") return value;
  return Math.ceil((Number.parseFloat(value) * total) / 100);
}

/** Pods that were let go and are still there: they do not count as healthy until they had time enough to go. */
function disrupted({ budget, pods, nowMs }: BudgetObserved): {
  readonly disruptedPods: Record<string, string>;
  readonly recheckAtMs: number | undefined;
  readonly late: readonly string[];
} {
  const disruptedPods: Record<string, string> = {};
  const late: string[] = [];
  let recheckAtMs: number | undefined;
  for (const { metadata } of pods) {
    const time = budget.status?.disruptedPods?.[metadata.name];
    if (time === undefined || metadata.deletionTimestamp !== undefined) continue;
    const untilMs = Temporal.Instant.from(time).epochMilliseconds + deletionTimeoutMs;
    if (untilMs < nowMs) late.push(metadata.name);
    else {
      disruptedPods[metadata.name] = time;
      recheckAtMs = Math.min(recheckAtMs ?? Infinity, untilMs);
    }
  }
  return { disruptedPods, recheckAtMs: recheckAtMs === undefined ? undefined : recheckAtMs + 1, late };
}

function statusOf(
  budget: PodDisruptionBudget,
  facts: Pick<Status, "currentHealthy" | "desiredHealthy" | "expectedPods" | "disruptionsAllowed">,
  disruptedPods: Record<string, string>,
  condition: Condition,
): Status {
  const others = (budget.status?.conditions ?? []).filter(({ type }) => type !== condition.type);
  return {
    ...facts,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    observedGeneration: budget.metadata.generation ?? 0,
    conditions: [...others, condition],
  };
}

/** Better no disruption than one too many. */
function failedStatus(budget: PodDisruptionBudget, problem: string, nowMs: number): Status {
  const { status } = budget;
  const condition = allowedCondition(budget, false, "SyncFailed", problem, nowMs);
  const others = (status?.conditions ?? []).filter(({ type }) => type !== condition.type);
  return {
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    ...status,
    disruptionsAllowed: 0,
    conditions: [...others, condition],
  };
}

function allowedCondition(
  { metadata, status }: PodDisruptionBudget,
  allowed: boolean,
  reason: string,
  message: string,
  nowMs: number,
): Condition {
  const old = status?.conditions?.find(({ type }) => type === "DisruptionAllowed");
  const value = allowed ? "True" : "False";
  const now = toTimestamp(Temporal.Instant.fromEpochMilliseconds(nowMs));
  return {
    type: "DisruptionAllowed",
    status: value,
    reason,
    message,
    observedGeneration: metadata.generation ?? 0,
    lastTransitionTime: old?.status === value ? (old.lastTransitionTime ?? now) : now,
  };
}
