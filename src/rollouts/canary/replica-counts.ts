/** How many pods each revision gets when replica counts are what splits (upstream's basic canary). Pure arithmetic. */
import type { IntOrString, Rollout } from "#api";

/** Pods asked for and pods available of one ReplicaSet. */
export interface SetSize {
  readonly spec: number;
  readonly available: number;
}

export interface Counts {
  readonly canary: number;
  readonly stable: number;
}

export interface CountsRequest {
  /** `spec.replicas` of the Rollout. */
  readonly replicas: number;
  /** 0..100 */
  readonly weight: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
  readonly canary: SetSize | undefined;
  readonly stable: SetSize | undefined;
  /** The desired revision is the stable one. */
  readonly sameSet: boolean;
  /** Pods asked for of all other ReplicaSets. */
  readonly others: number;
}

/**
 * The pair nearest to `weight` percent: it adds up to `replicas`, or to one more when that comes nearer and a surge is
 * allowed. With two pods or more and a weight of 1 to 99 both sides keep at least one.
 *
 * (10, 15 %, no surge) → 2/8; (10, 19 %, surge) → 2/9; (10, 99 %, surge) → 10/1; (2, 1 %, no surge) → 1/1
 */
export function approximateCounts(replicas: number, weight: number, maxSurge: number): Counts {
  if (replicas === 0) return { canary: 0, stable: 0 };
  const up = Math.ceil((replicas * weight) / 100);
  const down = Math.floor((replicas * weight) / 100);
  const zeroAllowed = weight === 100 || weight === 0 || (replicas === 1 && maxSurge === 0);
  const downAllowed = down !== 0 || zeroAllowed;
  const upAllowed = up < replicas || zeroAllowed;
  const options: { readonly canary: number; readonly total: number }[] = [];
  if (upAllowed) options.push({ canary: up, total: replicas });
  // A tie goes to rounding up, unless that would leave stable nothing: 2 pods at 75 % without surge. Upstream has no
  // option left there and gives the canary no pod at all.
  if ((!isTied(replicas, weight) || !upAllowed) && downAllowed) options.push({ canary: down, total: replicas });
  if (maxSurge > 0) {
    options.push({ canary: up, total: replicas + 1 });
    if (!isTied(replicas + 1, weight) && downAllowed) options.push({ canary: down, total: replicas + 1 });
  }
  const best = options.reduce<(typeof options)[number] | undefined>(
    (chosen, option) => (chosen === undefined || miss(option, weight) < miss(chosen, weight) ? option : chosen),
    undefined,
  );
  if (best === undefined) return { canary: 0, stable: replicas };
  return { canary: best.canary, stable: best.total - best.canary };
}

/** Rounding up and down miss by the same: then up is taken. The order of the operations is upstream's, to the last bit. */
function isTied(total: number, weight: number): boolean {
  return (total * (weight / 100)) % 1 === 0.5;
}

function miss(option: { readonly canary: number; readonly total: number }, weight: number): number {
  return Math.abs((option.canary * 100) / option.total - weight);
}

/**
 * The counts to ask for now, on the way to `approximateCounts`: never more than replicas + maxSurge pods in all, never
 * fewer than replicas − maxUnavailable available ones. Asked again after every change, it converges.
 */
export function canaryCounts(request: CountsRequest): Counts {
  const { replicas, canary, others } = request;
  const separate = request.sameSet ? undefined : request.stable;
  const wanted =
    separate === undefined
      ? { canary: replicas, stable: 0 }
      : approximateCounts(replicas, request.weight, request.maxSurge);
  const most = replicas + request.maxSurge;
  let room = most - others - (canary?.spec ?? 0) - (separate?.spec ?? 0);
  const stable = grow(separate?.spec ?? 0, wanted.stable, separate === undefined ? 0 : room);
  room -= stable - (separate?.spec ?? 0);
  const grown: Counts = { canary: canary === undefined ? 0 : grow(canary.spec, wanted.canary, room), stable };
  // Pods of abandoned revisions go first.
  if (others > 0) return grown;
  return shrink(request, separate, wanted, grown, most);
}

function grow(spec: number, wanted: number, room: number): number {
  return spec < wanted && room > 0 ? Math.min(wanted, spec + room) : spec;
}

function shrink(
  request: CountsRequest,
  separate: SetSize | undefined,
  wanted: Counts,
  grown: Counts,
  most: number,
): Counts {
  const { canary } = request;
  const least = request.replicas - request.maxUnavailable;
  const increasing = canary === undefined || wanted.canary >= canary.spec;
  const counted = countedForScaleDown(canary, !increasing) + countedForScaleDown(request.stable, increasing);
  if (counted <= least) return grown;
  const budget = counted - least;
  if (!increasing) {
    const drained = drain(canary, wanted.canary, budget, grown.canary);
    const [first, second] = withinLimits(canary, separate ?? request.stable, drained, grown.stable, most, least);
    return { canary: first, stable: second };
  }
  if (separate === undefined) return grown;
  const drained = drain(separate, wanted.stable, budget, grown.stable);
  const [first, second] = withinLimits(separate, canary, drained, grown.canary, most, least);
  return { canary: second, stable: first };
}

/**
 * Pods that count as there when another is to be taken away. The draining side's unavailable pods count too: else a
 * revision that crash-loops could never be scaled down to make room.
 */
function countedForScaleDown(set: SetSize | undefined, ignoreAvailability: boolean): number {
  if (set === undefined) return 0;
  return ignoreAvailability ? set.spec : Math.min(set.spec, set.available);
}

function drain(set: SetSize | undefined, wanted: number, budget: number, count: number): number {
  return set !== undefined && set.spec > wanted ? Math.max(wanted, set.spec - budget) : count;
}

/**
 * Corrects both counts so that they keep to the most pods allowed, and, where that takes available pods away, to the
 * least available ones. What the kept side gives back comes off the draining side.
 */
function withinLimits(
  draining: SetSize | undefined,
  kept: SetSize | undefined,
  drainingCount: number,
  keptCount: number,
  most: number,
  least: number,
): readonly [number, number] {
  if (kept === undefined) return [drainingCount, keptCount];
  const reduced = keptCount - Math.max(0, keptCount + drainingCount - most);
  const available = Math.min(draining?.available ?? 0, drainingCount) + Math.min(kept.available, reduced);
  const lost = Math.max(0, kept.available - reduced);
  const adjusted = reduced + Math.min(lost, Math.max(0, least - available));
  return [drainingCount - Math.max(0, adjusted + drainingCount - most), adjusted];
}

/** maxSurge and maxUnavailable as numbers of pods: 25 % each by default; both 0 would stand still, so 1 may be missing. */
export function rolloutLimits(rollout: Rollout): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const replicas = rollout.spec.replicas ?? 1;
  const canary = rollout.spec.strategy.canary;
  const maxSurge = Math.ceil(podsOf(canary?.maxSurge ?? "25%", replicas));
  const floor = Math.floor(podsOf(canary?.maxUnavailable ?? "25%", replicas));
  const maxUnavailable = maxSurge === 0 && floor === 0 ? 1 : floor;
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

/** Every text is a percentage, with or without the sign: upstream's way. */
function podsOf(value: IntOrString, replicas: number): number {
  return typeof value === "number" ? value : (Number.parseInt(value, 10) * replicas) / 100;
}
