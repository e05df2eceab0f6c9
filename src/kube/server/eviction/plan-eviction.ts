/**
 * Whether a pod may be evicted, by the budgets that select it: pure. Rules and words are those of upstream's eviction
 * subresource, which clients such as `kubectl drain` read.
 */
import { type Condition, isPodReady, matchesSelector, type Pod, type PodDisruptionBudget } from "#api";
import { KubeError } from "../../client/kube-error.ts";

export type EvictionPlan =
  /** With `exact` only the pod as it was seen: it was let go for not being ready. */
  | { readonly kind: "delete"; readonly exact: boolean }
  /** The budget gives one of its disruptions. */
  | { readonly kind: "spend"; readonly budget: PodDisruptionBudget; readonly status: BudgetStatus }
  | { readonly kind: "refuse"; readonly refusal: KubeError }
  /** More than one budget selects it, and nobody says which one gives. */
  | { readonly kind: "ambiguous"; readonly message: string };

type BudgetStatus = NonNullable<PodDisruptionBudget["status"]>;

/** Evictions that were allowed and whose pods the controller has not seen go. */
const maxDisruptedPods = 2000;

export function planEviction(pod: Pod, budgets: readonly PodDisruptionBudget[], now: string): EvictionPlan {
  if (isDisruptedAnyway(pod)) return { kind: "delete", exact: isPending(pod) };
  const [budget, another] = budgets.filter(({ spec }) => matchesSelector(spec.selector, pod.metadata.labels));
  if (budget === undefined) return { kind: "delete", exact: false };
  if (another !== undefined) {
    const message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    return { kind: "ambiguous", message };
  }
  if (!isPodReady(pod) && letsUnhealthyGo(budget)) return { kind: "delete", exact: true };
  return spend(pod, budget, now);
}

/** One that has ended, that is going, or that never ran disturbs nobody by going. */
function isDisruptedAnyway({ metadata, status }: Pod): boolean {
  const ended = status?.phase === "Succeeded" || status?.phase === "Failed";
  return ended || status?.phase === "Pending" || metadata.deletionTimestamp !== undefined;
}

function isPending({ metadata, status }: Pod): boolean {
  return status?.phase === "Pending" && metadata.deletionTimestamp === undefined;
}

/** A pod that is not ready does not count as healthy, so its going takes nothing from the budget. */
function letsUnhealthyGo({ spec, status }: PodDisruptionBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function spend(pod: Pod, budget: PodDisruptionBudget, now: string): EvictionPlan {
  const { metadata, status } = budget;
  const { name, generation = 0 } = metadata;
  if (status === undefined || (status.observedGeneration ?? 0) < generation) {
    const cause = `The disruption budget ${name} is still being processed by the server.`;
    return { kind: "refuse", refusal: tooMany(cause, 10) };
  }
  if (status.disruptionsAllowed < 0) return forbidden(name, "pdb disruptions allowed is negative");
  if (Object.keys(status.disruptedPods ?? {}).length > maxDisruptedPods) {
    return forbidden(name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller");
  }
  if (status.disruptionsAllowed === 0) {
    const { desiredHealthy, currentHealthy } = status;
    const cause = `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
    return { kind: "refuse", refusal: tooMany(cause, undefined) };
  }
  const left = status.disruptionsAllowed - 1;
  const spent: BudgetStatus = {
    ...status,
    disruptionsAllowed: left,
    disruptedPods: { ...status.disruptedPods, [pod.metadata.name]: now },
    ...(left > 0 ? {} : { conditions: usedUp(budget, now) }),
  };
  return { kind: "spend", budget, status: spent };
}

function usedUp({ metadata, status }: PodDisruptionBudget, now: string): Condition[] {
  const conditions = status?.conditions ?? [];
  const old = conditions.find(({ type }) => type === "DisruptionAllowed");
  const next = {
    type: "DisruptionAllowed",
    status: "False",
    reason: "InsufficientPods",
    message: "",
    observedGeneration: metadata.generation ?? 0,
    lastTransitionTime: old?.status === "False" ? (old.lastTransitionTime ?? now) : now,
  } as const;
  return [...conditions.filter((condition) => condition !== old), next];
}

/** A client waits as long as it is told, and then tries again; kubectl drain waits 5 s where it is told nothing. */
function tooMany(cause: string, retryAfterSeconds: number | undefined): KubeError {
  return new KubeError("TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: "DisruptionBudget", message: cause }],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}

function forbidden(name: string, why: string): EvictionPlan {
  const message = `poddisruptionbudget.policy "${name}" is forbidden: ${why}`;
  const details = { name, group: "policy", kind: "poddisruptionbudget" };
  return { kind: "refuse", refusal: new KubeError("Forbidden", message, details) };
}
