/** The steps of a rolling update of a DaemonSet: pure, upstream's two ways of it. */
import type { Pod } from "#api";
import { scaledShare } from "../deployment/bounds.ts";
import { isAvailable } from "../pod-state.ts";
import { revisionHashLabel } from "../revisions/plan-revisions.ts";
import { type DaemonSetAction, type DaemonSetObserved, type NodeState, surgeOf } from "./daemon-set-state.ts";

export function updateActions(observed: DaemonSetObserved, states: readonly NodeState[]): DaemonSetAction[] {
  const desired = states.filter(({ run }) => run).length;
  const surge = surgeOf(observed.set, desired);
  const unavailable = scaledShare(
    observed.set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1,
    desired,
    Math.ceil,
  );
  if (surge > 0) return withSurge(observed, states, surge, desired);
  // Both at zero would never move.
  return withoutSurge(observed, states, Math.max(unavailable, 1));
}

interface Pair {
  readonly state: NodeState;
  readonly fresh: Pod | undefined;
  readonly old: Pod | undefined;
}

/** At most one of each kind on a node; undefined where there are more, which is managed first. */
function pairOf({ hash }: DaemonSetObserved, state: NodeState): Pair | undefined {
  const staying = state.pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const fresh = staying.filter(({ metadata }) => metadata.labels?.[revisionHashLabel] === hash);
  const old = staying.filter((pod) => !fresh.includes(pod));
  if (fresh.length > 1 || old.length > 1) return undefined;
  return { state, fresh: fresh[0], old: old[0] };
}

/** Old pods are ended, as many as may be missing; what is not available anyway goes first and costs nothing. */
function withoutSurge(
  observed: DaemonSetObserved,
  states: readonly NodeState[],
  maxUnavailable: number,
): DaemonSetAction[] {
  const serves = (pod: Pod): boolean => isAvailable(pod, observed.set.spec.minReadySeconds ?? 0, observed.nowMs);
  let missing = 0;
  const useless: Pod[] = [];
  const candidates: Pod[] = [];
  for (const state of states.filter(({ pods, run }) => run || pods.length > 0)) {
    const pair = pairOf(observed, state);
    if (pair === undefined || (pair.fresh === undefined) === (pair.old === undefined)) missing += 1;
    else if (pair.fresh !== undefined) missing += serves(pair.fresh) ? 0 : 1;
    else if (pair.old !== undefined && serves(pair.old)) candidates.push(pair.old);
    else if (pair.old !== undefined) {
      useless.push(pair.old);
      missing += 1;
    }
  }
  const ended = [...useless, ...candidates.slice(0, Math.max(0, maxUnavailable - missing))];
  return ended.length === 0 ? [] : [{ kind: "delete", pods: ended }];
}

/** New pods are made beside the old ones, which go when the new are available. */
function withSurge(
  observed: DaemonSetObserved,
  states: readonly NodeState[],
  maxSurge: number,
  desired: number,
): DaemonSetAction[] {
  const serves = (pod: Pod | undefined): boolean =>
    pod !== undefined && isAvailable(pod, observed.set.spec.minReadySeconds ?? 0, observed.nowMs);
  const pairs = states.map((state) => pairOf(observed, state));
  const whole = pairs.filter((pair) => pair !== undefined);
  const both = whole.filter(({ fresh, old }) => fresh !== undefined && old !== undefined);
  const onlyOld = whole.filter(({ fresh, old }) => fresh === undefined && old !== undefined);
  const surging = pairs.length - whole.length + both.filter(({ fresh }) => !serves(fresh)).length;
  const ended = both.filter(({ fresh }) => serves(fresh)).flatMap(({ old }) => old ?? []);
  const available = whole.filter(({ old, fresh }) => serves(old ?? fresh)).length;
  const leaving = onlyOld.filter(({ state }) => !state.run);
  ended.push(...leaving.filter(({ old }) => !serves(old)).flatMap(({ old }) => old ?? []));
  // Where the set moves from one node to another, a pod that serves goes when enough serve elsewhere.
  const movable = leaving.filter(({ old }) => serves(old)).flatMap(({ old }) => old ?? []);
  ended.push(...movable.slice(0, Math.max(0, available - desired)));
  const staying = onlyOld.filter(({ state }) => state.run);
  const broken = staying.filter(({ old }) => !serves(old));
  const serving = staying.filter(({ old }) => serves(old)).slice(0, Math.max(0, maxSurge - surging));
  const created = [...broken, ...serving].map(({ state }) => state.node.metadata.name);
  return [
    ...(ended.length === 0 ? [] : [{ kind: "delete" as const, pods: ended }]),
    ...(created.length === 0 ? [] : [{ kind: "create" as const, nodes: created }]),
  ];
}
