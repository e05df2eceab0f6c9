/** Gathers what a plan needs to know. */
import {
  type AnalysisRun,
  analysisRuns,
  analysisTemplates,
  clusterAnalysisTemplates,
  type Pod,
  pods,
  replicaSets,
  type Rollout,
  rollouts,
} from "#api";
import type { Clock } from "#lib";
import type { Cluster } from "#kube";
import type { Informers, Request } from "#controller";
import type { ObservedRollout, ObservedTraffic } from "./observed.ts";
import { isRestartPending } from "./phase.ts";
import { isControlledBy } from "./revisions.ts";

export interface ObserveOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly clock: Clock;
}

/**
 * The Rollout is read from the cluster, not from the cache: a plan from an old status could end a run that the newer
 * one has just named. The rest may be a moment old: writes are locked by resourceVersion or have fixed names.
 */
export async function observeRollout(
  options: ObserveOptions,
  request: Request,
  traffic: ObservedTraffic,
  signal: AbortSignal,
): Promise<ObservedRollout | undefined> {
  const { cluster, informers, clock } = options;
  const rollout = await cluster.get(rollouts, request, { signal });
  if (rollout === undefined) return undefined;
  const uid = rollout.metadata.uid ?? "";
  const sets = informers.for(replicaSets).ownedBy(uid);
  return {
    now: clock.now(),
    rollout,
    replicaSets: sets.filter((set) => isControlledBy(rollout, set) && set.metadata.deletionTimestamp === undefined),
    analysisRuns: await runsOf(options, rollout, signal),
    templates: informers.for(analysisTemplates).list(request.namespace),
    clusterTemplates: informers.for(clusterAnalysisTemplates).list(),
    pods: await podsOf(options, rollout, new Set(sets.map((set) => set.metadata.uid)), signal),
    traffic,
  };
}

/** Its runs, and those its status names although the cache has not heard of them yet. */
async function runsOf(
  { cluster, informers }: ObserveOptions,
  rollout: Rollout,
  signal: AbortSignal,
): Promise<AnalysisRun[]> {
  const namespace = rollout.metadata.namespace ?? "default";
  const cached = informers.for(analysisRuns).ownedBy(rollout.metadata.uid ?? "");
  const { currentStepAnalysisRunStatus: step, currentBackgroundAnalysisRunStatus: background } =
    rollout.status?.canary ?? {};
  const found = [...cached];
  for (const name of [step?.name, background?.name]) {
    if (name === undefined || found.some((run) => run.metadata.name === name)) continue;
    const run = await cluster.get(analysisRuns, { namespace, name }, { signal });
    if (run !== undefined) found.push(run);
  }
  return found;
}

async function podsOf(
  { cluster }: ObserveOptions,
  rollout: Rollout,
  owners: ReadonlySet<string | undefined>,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  if (!isRestartPending(rollout.spec.restartAt, rollout.status?.restartedAt)) return [];
  const { items } = await cluster.list(pods, { namespace: rollout.metadata.namespace ?? "default", signal });
  return items.filter((pod) => pod.metadata.ownerReferences?.some((owner) => owners.has(owner.uid)));
}
