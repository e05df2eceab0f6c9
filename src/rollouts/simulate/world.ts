/** A world of plain data in which plans are done: for showing what would happen, and for trying what must always hold. */
import {
  type AnalysisPhase,
  type AnalysisRun,
  type AnalysisTemplate,
  desiredReplicasAnnotation,
  type KubeObject,
  type ReplicaSet,
  revisionAnnotation,
  type Rollout,
} from "#api";
import { toTimestamp } from "#lib";
import type { Action, ObservedRollout, ObservedTraffic } from "../canary/observed.ts";
import type { RevisionWeight } from "../ports.ts";

export interface World {
  readonly now: Temporal.Instant;
  readonly rollout: Rollout;
  readonly replicaSets: readonly ReplicaSet[];
  readonly analysisRuns: readonly AnalysisRun[];
  readonly templates: readonly AnalysisTemplate[];
  readonly clusterTemplates: readonly AnalysisTemplate[];
  /** Undefined until the first one is set. */
  readonly split: { readonly weights: readonly RevisionWeight[]; readonly verified: boolean } | undefined;
  /** Whether a router splits exactly. */
  readonly exact: boolean;
  readonly events: readonly { readonly reason: string; readonly message: string }[];
  /** When the plan wants to be asked again though nothing changes. */
  readonly wakeAt: Temporal.Instant | undefined;
}

function observeWorld(world: World, traffic: ObservedTraffic): ObservedRollout {
  const { now, rollout, replicaSets, analysisRuns, templates, clusterTemplates } = world;
  return { now, rollout, replicaSets, analysisRuns, templates, clusterTemplates, pods: [], traffic };
}

/** The world after one action; pods and routers have not reacted yet. */
export function applyAction(world: World, action: Action): World {
  switch (action.kind) {
    case "setWeights":
      return { ...world, split: { weights: action.weights, verified: false } };
    case "setReplicas":
      return withRollout(world, { spec: { ...world.rollout.spec, replicas: action.replicas } });
    case "setRevision":
      return withRollout(world, annotated(world.rollout, { [revisionAnnotation]: String(action.revision) }));
    case "updateStatus":
      return withRollout(world, { status: structuredClone(action.status) });
    case "createReplicaSet":
      return create(world, "replicaSets", action.replicaSet);
    case "annotateReplicaSet":
      return withSet(world, action.name, (set) => ({
        ...annotated(set, action.annotations),
        spec: { ...set.spec, minReadySeconds: action.minReadySeconds },
      }));
    case "scaleReplicaSet":
      return withSet(world, action.name, (set) => ({
        ...annotated(set, { [desiredReplicasAnnotation]: String(action.desired) }),
        spec: { ...set.spec, replicas: action.replicas },
      }));
    case "deleteReplicaSet":
      return { ...world, replicaSets: world.replicaSets.filter(({ metadata }) => metadata.name !== action.name) };
    case "createAnalysisRun":
      return create(world, "analysisRuns", action.run);
    case "terminateAnalysisRun":
      return withRun(world, action.name, (run) => ({ ...run, spec: { ...run.spec, terminate: true } }));
    case "deleteAnalysisRun":
      return { ...world, analysisRuns: world.analysisRuns.filter(({ metadata }) => metadata.name !== action.name) };
    case "recordEvent":
      return { ...world, events: [...world.events, { reason: action.reason, message: action.message }] };
    case "requeueAfter": {
      const at = world.now.add({ milliseconds: Math.ceil(action.ms) });
      const sooner = world.wakeAt === undefined || Temporal.Instant.compare(at, world.wakeAt) < 0;
      return sooner ? { ...world, wakeAt: at } : world;
    }
    case "deletePod":
      return world;
  }
}

function withRollout(world: World, change: Partial<Rollout>): World {
  return { ...world, rollout: { ...world.rollout, ...change } };
}

function annotated<T extends KubeObject>(object: T, annotations: Readonly<Record<string, string>>): T {
  const metadata = { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } };
  return { ...object, metadata };
}

function create<K extends "replicaSets" | "analysisRuns">(world: World, list: K, object: World[K][number]): World {
  const known: readonly KubeObject[] = world[list];
  if (known.some(({ metadata }) => metadata.name === object.metadata.name)) return world;
  const metadata = {
    ...object.metadata,
    uid: `${list}/${object.metadata.name}`,
    generation: 1,
    creationTimestamp: toTimestamp(world.now),
  };
  return { ...world, [list]: [...known, { ...object, metadata }] };
}

function withSet(world: World, name: string, change: (set: ReplicaSet) => ReplicaSet): World {
  const replicaSets = world.replicaSets.map((set) => (set.metadata.name === name ? change(set) : set));
  return { ...world, replicaSets };
}

function withRun(world: World, name: string, change: (run: AnalysisRun) => AnalysisRun): World {
  const analysisRuns = world.analysisRuns.map((run) => (run.metadata.name === name ? change(run) : run));
  return { ...world, analysisRuns };
}

/** Pods reach what is asked for; `available` says how many of a set's pods serve. */
export function settlePods(world: World, available: (set: ReplicaSet, spec: number) => number): World {
  const replicaSets = world.replicaSets.map((set) => {
    const replicas = set.spec.replicas ?? 1;
    const serving = Math.min(replicas, available(set, replicas));
    const status = { replicas, readyReplicas: serving, availableReplicas: serving, observedGeneration: 1 };
    return { ...set, status };
  });
  return { ...world, replicaSets };
}

/** Every router has the split. */
export function verifySplit(world: World): World {
  return world.split === undefined ? world : { ...world, split: { ...world.split, verified: true } };
}

/** Runs that were told to end do; the others come to `verdict`, or stay as they are. */
export function settleRuns(world: World, verdict: (run: AnalysisRun) => AnalysisPhase | undefined): World {
  const analysisRuns = world.analysisRuns.map((run) => {
    if (run.status !== undefined && run.status.phase !== "Running") return run;
    const phase = run.spec.terminate === true ? "Successful" : (verdict(run) ?? "Running");
    return { ...run, status: { phase } };
  });
  return { ...world, analysisRuns };
}

/** One reconcile: the question for the split answered, then every action done. `check` sees each world on the way. */
export function reconcileWorld(
  world: World,
  plan: (observed: ObservedRollout) => readonly Action[],
  step: (before: World, action: Action) => World | undefined = applyAction,
): World {
  let current: World = { ...world, wakeAt: undefined };
  let traffic: ObservedTraffic = world.exact ? { kind: "unknown" } : { kind: "none" };
  for (let question = 0; question < 5; question++) {
    const actions = plan(observeWorld(current, traffic));
    for (const action of actions) {
      const same = action.kind === "setWeights" && sameSplit(current.split?.weights, action.weights);
      const next: World | undefined = same ? current : step(current, action);
      // undefined: the process died here
      if (next === undefined) return current;
      current = next;
    }
    const [first] = actions;
    if (first?.kind !== "setWeights") return current;
    traffic = { kind: "set", weights: first.weights, verified: current.split?.verified };
  }
  return current;
}

function sameSplit(a: readonly RevisionWeight[] | undefined, b: readonly RevisionWeight[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
