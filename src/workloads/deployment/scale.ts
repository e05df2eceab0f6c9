/**
 * How many replicas each ReplicaSet of a Deployment gets next: pure, upstream's arithmetic. Two bounds hold at every
 * moment of a rolling update: pods that exist ≤ replicas + maxSurge, pods that are available ≥ replicas − maxUnavailable.
 */
import type { Bounds } from "./bounds.ts";

/** What the arithmetic needs of a ReplicaSet. */
export interface SetCounts {
  readonly uid: string;
  readonly replicas: number;
  readonly available: number;
  /** For how many replicas, surge included, it was last sized. */
  readonly max: number | undefined;
  readonly desired: number | undefined;
  /** Smaller is older. */
  readonly age: number;
}

/** New sizes by uid; ReplicaSets that keep theirs are not in it. */
export type Sizes = ReadonlyMap<string, number>;

const unchanged: Sizes = new Map();

/** One step of a rolling update. The next one is taken when its effect is seen. */
export function rollingStep(bounds: Bounds, fresh: SetCounts, old: readonly SetCounts[]): Sizes {
  const up = newSize(bounds, fresh.replicas, [fresh, ...old]);
  if (up !== fresh.replicas) return new Map([[fresh.uid, up]]);
  return shrinkOld(bounds, fresh, old);
}

/** The new ReplicaSet's size: as much as the surge allows, at most all. */
export function newSize({ replicas, maxSurge }: Bounds, present: number, all: readonly SetCounts[]): number {
  if (present >= replicas) return replicas;
  const room = replicas + maxSurge - total(all);
  return room <= 0 ? present : present + Math.min(room, replicas - present);
}

function shrinkOld(bounds: Bounds, fresh: SetCounts, old: readonly SetCounts[]): Sizes {
  const least = bounds.replicas - bounds.maxUnavailable;
  const unready = fresh.replicas - fresh.available;
  const spare = total([fresh, ...old]) - least - unready;
  if (total(old) === 0 || spare <= 0) return unchanged;
  const sizes = new Map<string, number>();
  const oldestFirst = old.toSorted((a, b) => a.age - b.age);
  // Pods that serve nobody go first: they cost no availability.
  let left = spare;
  for (const set of oldestFirst) {
    const cut = Math.min(left, Math.max(0, set.replicas - set.available));
    if (cut > 0) sizes.set(set.uid, set.replicas - cut);
    left -= cut;
  }
  const available = [fresh, ...old].reduce((sum, set) => sum + set.available, 0);
  let extra = available - least;
  for (const set of oldestFirst) {
    const size = sizes.get(set.uid) ?? set.replicas;
    const cut = Math.min(size, Math.max(0, extra));
    if (cut > 0) sizes.set(set.uid, size - cut);
    extra -= cut;
  }
  return sizes;
}

function total(sets: readonly SetCounts[]): number {
  return sets.reduce((sum, set) => sum + set.replicas, 0);
}

/** Old ReplicaSets to nothing; then, once their pods are gone, the new one to all. */
export function recreateStep(
  bounds: Bounds,
  fresh: SetCounts | undefined,
  old: readonly SetCounts[],
  oldPodsLeft: boolean,
): Sizes {
  const active = old.filter((set) => set.replicas > 0);
  if (active.length > 0) return new Map(active.map((set) => [set.uid, 0]));
  if (oldPodsLeft || fresh === undefined || fresh.replicas === bounds.replicas) return unchanged;
  return new Map([[fresh.uid, bounds.replicas]]);
}

/** After `spec.replicas` changed, or while paused: the size is divided as it stood, no revision gains on another. */
export function scaleStep(
  bounds: Bounds,
  rolling: boolean,
  fresh: SetCounts | undefined,
  all: readonly SetCounts[],
): Sizes {
  const active = all.filter((set) => set.replicas > 0);
  const newest = all.toSorted((a, b) => b.age - a.age)[0];
  const only = active.length === 1 ? active[0] : active.length === 0 ? (fresh ?? newest) : undefined;
  if (only !== undefined) {
    return only.replicas === bounds.replicas ? unchanged : new Map([[only.uid, bounds.replicas]]);
  }
  if (fresh !== undefined && isSaturated(bounds, fresh)) {
    return new Map(active.filter((set) => set.uid !== fresh.uid).map((set) => [set.uid, 0]));
  }
  return rolling ? proportional(bounds, active) : unchanged;
}

function isSaturated({ replicas }: Bounds, fresh: SetCounts): boolean {
  return fresh.replicas === replicas && fresh.desired === replicas && fresh.available === replicas;
}

function proportional({ replicas, maxSurge }: Bounds, active: readonly SetCounts[]): Sizes {
  const allowed = replicas > 0 ? replicas + maxSurge : 0;
  const toAdd = allowed - total(active);
  const newerFirst = toAdd > 0 ? -1 : 1;
  const ordered = active.toSorted((a, b) => b.replicas - a.replicas || newerFirst * (a.age - b.age));
  const sizes = new Map<string, number>();
  let added = 0;
  for (const set of ordered) {
    const share = shareOf(set, replicas, replicas + maxSurge, toAdd, toAdd - added);
    added += share;
    sizes.set(set.uid, set.replicas + share);
  }
  // Rounding leaves something over: the largest takes it.
  const [first] = ordered;
  if (first !== undefined) sizes.set(first.uid, Math.max(0, (sizes.get(first.uid) ?? 0) + toAdd - added));
  for (const set of ordered) if (sizes.get(set.uid) === set.replicas) sizes.delete(set.uid);
  return sizes;
}

function shareOf(set: SetCounts, replicas: number, max: number, toAdd: number, left: number): number {
  if (toAdd === 0 || left === 0) return 0;
  const before = set.max ?? set.replicas;
  const fraction =
    replicas === 0 ? -set.replicas : Math.round((set.replicas * max) / Math.max(1, before)) - set.replicas;
  return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
}
