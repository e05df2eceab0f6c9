/** What becomes of the count that metrics ask for, by the autoscaler's limits, windows and rates: pure. */
import type { ScalingRules } from "#api";

interface Recommendation {
  readonly replicas: number;
  readonly atMs: number;
}

/** A change that was made, so many replicas up or down. */
interface ScaleEvent {
  readonly replicas: number;
  readonly atMs: number;
}

/** What an autoscaler remembers between two looks; a new process begins without. */
export interface Memory {
  readonly recommendations: readonly Recommendation[];
  readonly ups: readonly ScaleEvent[];
  readonly downs: readonly ScaleEvent[];
}

export interface Limits {
  readonly current: number;
  readonly min: number;
  readonly max: number;
  readonly nowMs: number;
  readonly behavior: { readonly scaleUp?: ScalingRules; readonly scaleDown?: ScalingRules } | undefined;
}

export interface Verdict {
  readonly replicas: number;
  readonly able: { readonly reason: string; readonly message: string };
  readonly limited: { readonly status: "True" | "False"; readonly reason: string; readonly message: string };
  readonly recommendations: readonly Recommendation[];
}

/** Upstream's `--horizontal-pod-autoscaler-downscale-stabilization`. */
const downWindowMs = 300_000;
/** No behaviour said: at most double, but up to 4 at once. */
const upFactor = 2;
const upMinimum = 4;

const ready = { reason: "ReadyForNewScale", message: "recommended size matches current size" };
const downHeld = {
  reason: "ScaleDownStabilized",
  message: "recent recommendations were higher than current one, applying the highest recent recommendation",
};
const upHeld = {
  reason: "ScaleUpStabilized",
  message: "recent recommendations were lower than current one, applying the lowest recent recommendation",
};
const within = { reason: "DesiredWithinRange", message: "the desired count is within the acceptable range" };
const tooFast = {
  reason: "ScaleUpLimit",
  message: "the desired replica count is increasing faster than the maximum scale rate",
};
const tooFastDown = {
  reason: "ScaleDownLimit",
  message: "the desired replica count is decreasing faster than the maximum scale rate",
};
const tooMany = {
  reason: "TooManyReplicas",
  message: "the desired replica count is more than the maximum replica count",
};
const tooFew = {
  reason: "TooFewReplicas",
  message: "the desired replica count is less than the minimum replica count",
};

export function applyBehaviour(wanted: number, limits: Limits, memory: Memory): Verdict {
  const upMs = windowMs(limits.behavior?.scaleUp, 0);
  const downMs = windowMs(limits.behavior?.scaleDown, downWindowMs);
  const stable =
    limits.behavior === undefined ? highest(wanted, limits, memory) : stabilized(wanted, limits, memory, upMs, downMs);
  const held = limits.behavior !== undefined && wanted >= limits.current ? upHeld : downHeld;
  const { replicas, ...why } =
    limits.behavior === undefined ? boundPlainly(stable, limits) : boundByRates(stable, limits, memory);
  const oldest = limits.nowMs - Math.max(upMs, downMs);
  return {
    replicas,
    able: stable === wanted ? ready : held,
    limited: { status: replicas === stable ? "False" : "True", ...why },
    recommendations: [
      ...memory.recommendations.filter(({ atMs }) => atMs > oldest),
      { replicas: wanted, atMs: limits.nowMs },
    ],
  };
}

/** Without a behaviour only going down waits: for the highest of the last five minutes. */
function highest(wanted: number, { nowMs }: Limits, { recommendations }: Memory): number {
  const recent = recommendations.filter(({ atMs }) => atMs >= nowMs - downWindowMs).map(({ replicas }) => replicas);
  return Math.max(wanted, ...recent);
}

/** Up to the lowest of its window, down to the highest of its own; between the two nothing moves. */
function stabilized(wanted: number, limits: Limits, memory: Memory, upMs: number, downMs: number): number {
  const since = (ms: number): number[] =>
    memory.recommendations.filter(({ atMs }) => atMs > limits.nowMs - ms).map(({ replicas }) => replicas);
  const up = Math.min(wanted, ...since(upMs));
  const down = Math.max(wanted, ...since(downMs));
  return Math.min(Math.max(limits.current, up), down);
}

function windowMs(rules: ScalingRules | undefined, otherwiseMs: number): number {
  return rules?.stabilizationWindowSeconds === undefined ? otherwiseMs : rules.stabilizationWindowSeconds * 1000;
}

interface Bounded {
  readonly replicas: number;
  readonly reason: string;
  readonly message: string;
}

function boundPlainly(wanted: number, { current, min, max }: Limits): Bounded {
  const rate = Math.max(upFactor * current, upMinimum);
  if (wanted < min) return { replicas: min, ...tooFew };
  const highest = Math.min(max, rate);
  if (wanted > highest) return { replicas: highest, ...(max > rate ? tooFast : tooMany) };
  return { replicas: wanted, ...within };
}

function boundByRates(wanted: number, limits: Limits, memory: Memory): Bounded {
  const { current, min, max, behavior } = limits;
  if (wanted > current) {
    const rate = Math.max(current, rateLimit(behavior?.scaleUp, limits, memory, "up"));
    const highest = Math.min(max, rate);
    if (wanted > highest) return { replicas: highest, ...(max > rate ? tooFast : tooMany) };
  } else if (wanted < current) {
    const rate = Math.min(current, rateLimit(behavior?.scaleDown, limits, memory, "down"));
    const lowest = Math.max(min, rate);
    if (wanted < lowest) return { replicas: lowest, ...(min < rate ? tooFastDown : tooFew) };
  }
  return { replicas: wanted, ...within };
}

/**
 * How far the policies let the count go: each counts from where its period began. `Max` takes the one that changes
 * most, `Min` the one that changes least.
 */
function rateLimit(rules: ScalingRules | undefined, limits: Limits, memory: Memory, way: "up" | "down"): number {
  const { current, nowMs } = limits;
  const { selectPolicy = "Max", policies = [] } = rules ?? {};
  if (selectPolicy === "Disabled") return current;
  const proposed = policies.map(({ type, value, periodSeconds }) => {
    const since = nowMs - periodSeconds * 1000;
    const began = current - changed(memory.ups, since) + changed(memory.downs, since);
    if (type === "Pods") return way === "up" ? began + value : began - value;
    return way === "up" ? Math.ceil(began * (1 + value / 100)) : Math.trunc(began * (1 - value / 100));
  });
  const farthest = way === "up" ? Math.max(...proposed) : Math.min(...proposed);
  const nearest = way === "up" ? Math.min(...proposed) : Math.max(...proposed);
  return selectPolicy === "Min" ? nearest : farthest;
}

function changed(events: readonly ScaleEvent[], sinceMs: number): number {
  return events.filter(({ atMs }) => atMs > sinceMs).reduce((total, { replicas }) => total + replicas, 0);
}

/** The memory with a change in it; what no policy asks about any more is let go. */
export function remember(memory: Memory, from: number, to: number, { behavior, nowMs }: Limits): Memory {
  if (behavior === undefined) return memory;
  const kept = (events: readonly ScaleEvent[], rules: ScalingRules | undefined): ScaleEvent[] => {
    const longest = Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds));
    return events.filter(({ atMs }) => atMs >= nowMs - longest * 1000);
  };
  const ups = kept(memory.ups, behavior.scaleUp);
  const downs = kept(memory.downs, behavior.scaleDown);
  const event = { replicas: Math.abs(to - from), atMs: nowMs };
  return { ...memory, ups: to > from ? [...ups, event] : ups, downs: to > from ? downs : [...downs, event] };
}
