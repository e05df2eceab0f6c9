/** What a rollout would do, in virtual time. */
import type { AnalysisPhase, AnalysisRun, AnalysisTemplate, ReplicaSet, Rollout, RolloutPhase } from "#api";
import { deepEqual, msBetween } from "#lib";
import { planRollout } from "../canary/plan.ts";
import type { RevisionWeight } from "../ports.ts";
import { applyAction, reconcileWorld, settlePods, settleRuns, verifySplit, type World } from "./world.ts";

export interface SimulationOptions {
  readonly rollout: Rollout;
  readonly replicaSets?: readonly ReplicaSet[];
  readonly templates?: readonly AnalysisTemplate[];
  readonly clusterTemplates?: readonly AnalysisTemplate[];
  readonly exactWeights: boolean;
  readonly start: Temporal.Instant;
  /** How long a set of new pods takes to serve. */
  readonly podReadyMs?: number;
  /** How long an analysis takes, and how each comes out; Successful when not said. */
  readonly analysisMs?: number;
  readonly verdict?: (run: AnalysisRun) => AnalysisPhase;
}

export interface SimulatedMoment {
  readonly atMs: number;
  readonly phase: RolloutPhase | undefined;
  readonly message: string | undefined;
  readonly stepIndex: number | undefined;
  readonly weights: readonly RevisionWeight[] | undefined;
  /** Pods asked for, by ReplicaSet. */
  readonly pods: Readonly<Record<string, number>>;
  /** Events since the moment before. */
  readonly events: readonly { readonly reason: string; readonly message: string }[];
}

const maximumMoments = 2000;

/** The moments at which something changes, until the rollout comes to rest or waits for a person. */
export function simulateRollout(options: SimulationOptions): SimulatedMoment[] {
  const { podReadyMs = 2000, analysisMs = 60_000 } = options;
  let world = startWorld(options);
  const moments: SimulatedMoment[] = [];
  const podsAt = new Map<string, Temporal.Instant>();
  const runsAt = new Map<string, Temporal.Instant>();
  while (moments.length < maximumMoments) {
    const before = world;
    world = verifySplit(reconcileWorld(world, planRollout, applyAction));
    note(podsAt, changedSets(before, world), world.now.add({ milliseconds: podReadyMs }));
    note(runsAt, newRuns(before, world), world.now.add({ milliseconds: analysisMs }));
    if (!isSameState(before, world)) {
      moments.push(momentOf(world, before, options.start));
      continue;
    }
    const next = [...podsAt.values(), ...runsAt.values(), ...(world.wakeAt === undefined ? [] : [world.wakeAt])]
      .toSorted(Temporal.Instant.compare)
      .at(0);
    if (next === undefined) break;
    world = advance(world, next, podsAt, runsAt, options.verdict ?? (() => "Successful"));
  }
  return moments;
}

function startWorld(options: SimulationOptions): World {
  const { rollout, replicaSets = [], templates = [], clusterTemplates = [], exactWeights, start } = options;
  return {
    now: start,
    rollout,
    replicaSets,
    analysisRuns: [],
    templates,
    clusterTemplates,
    split: undefined,
    exact: exactWeights,
    events: [],
    wakeAt: undefined,
  };
}

function note(due: Map<string, Temporal.Instant>, names: readonly string[], at: Temporal.Instant): void {
  for (const name of names) due.set(name, at);
}

function changedSets(before: World, after: World): string[] {
  return after.replicaSets
    .filter(
      (set) =>
        before.replicaSets.find(({ metadata }) => metadata.name === set.metadata.name)?.spec.replicas !==
        set.spec.replicas,
    )
    .map(({ metadata }) => metadata.name);
}

function newRuns(before: World, after: World): string[] {
  const known = new Set(before.analysisRuns.map(({ metadata }) => metadata.name));
  return after.analysisRuns.filter(({ metadata }) => !known.has(metadata.name)).map(({ metadata }) => metadata.name);
}

function isSameState(a: World, b: World): boolean {
  const state = ({ rollout, replicaSets, analysisRuns, split }: World): unknown => [
    rollout,
    replicaSets,
    analysisRuns,
    split,
  ];
  return deepEqual(state(a), state(b));
}

/** Time moves to `now`; what is due by then happens. */
function advance(
  world: World,
  now: Temporal.Instant,
  podsAt: Map<string, Temporal.Instant>,
  runsAt: Map<string, Temporal.Instant>,
  verdict: (run: AnalysisRun) => AnalysisPhase,
): World {
  const due = (when: Map<string, Temporal.Instant>): Set<string> => {
    const names = [...when].filter(([, at]) => Temporal.Instant.compare(at, now) <= 0).map(([name]) => name);
    for (const name of names) when.delete(name);
    return new Set(names);
  };
  const [sets, runs] = [due(podsAt), due(runsAt)];
  const served = settlePods({ ...world, now }, (set, spec) =>
    sets.has(set.metadata.name) ? spec : (set.status?.availableReplicas ?? 0),
  );
  return settleRuns(served, (run) => (runs.has(run.metadata.name) ? verdict(run) : undefined));
}

function momentOf(world: World, before: World, start: Temporal.Instant): SimulatedMoment {
  const { status } = world.rollout;
  return {
    atMs: msBetween(start, world.now),
    phase: status?.phase,
    message: status?.message,
    stepIndex: status?.currentStepIndex,
    weights: world.split?.weights,
    pods: Object.fromEntries(world.replicaSets.map(({ metadata, spec }) => [metadata.name, spec.replicas ?? 1])),
    events: world.events.slice(before.events.length),
  };
}
