/** The controllers of this room. */
import {
  type AnalysisTemplate,
  analysisRuns,
  analysisTemplates,
  clusterAnalysisTemplates,
  replicaSets,
  rollouts,
  trafficSplits,
} from "#api";
import type { Clock, Ids, Log } from "#lib";
import type { Cluster } from "#kube";
import { createController, type Informers, type Request, requestsOfOwner, type Watching, watching } from "#controller";
import { createRunReconciler } from "./analysis/reconcile-run.ts";
import { createRolloutReconciler } from "./canary/reconcile.ts";
import { stepsOf } from "./canary/steps.ts";
import type { MeasurePort, TrafficPort } from "./ports.ts";

export interface RolloutsOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  /** Only asked on clusters with `capabilities.exactWeights`. */
  readonly traffic: TrafficPort;
  readonly measure: MeasurePort;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** Rollouts and analysis runs of one cluster; `run` reconciles until the signal aborts. */
export function createRollouts(options: RolloutsOptions): { run(signal: AbortSignal): Promise<void> } {
  const { cluster, informers, clock, ids, log } = options;
  // Asked for here, so that they are complete before the first plan.
  for (const type of [analysisTemplates, clusterAnalysisTemplates]) informers.for(type);
  const rolloutController = createController({
    name: "rollouts",
    informers,
    primary: rollouts,
    watches: watches(cluster, informers),
    reconcile: createRolloutReconciler(options),
    clock,
    ids,
    log,
  });
  const runController = createController({
    name: "analysis-runs",
    informers,
    primary: analysisRuns,
    reconcile: createRunReconciler(options),
    // Measurements wait for other machines.
    concurrency: 16,
    clock,
    ids,
    log,
  });
  return {
    async run(signal) {
      await Promise.all([rolloutController.run(signal), runController.run(signal)]);
    },
  };
}

function watches(cluster: Cluster, informers: Informers): Watching[] {
  const ofOwner = requestsOfOwner(rollouts.kind);
  const ofTemplate = (template: AnalysisTemplate): readonly Request[] => analysing(informers, template);
  return [
    watching(replicaSets, ofOwner),
    watching(analysisRuns, ofOwner),
    watching(analysisTemplates, ofTemplate),
    watching(clusterAnalysisTemplates, ofTemplate),
    ...(cluster.capabilities.exactWeights ? [watching(trafficSplits, ofOwner)] : []),
  ];
}

/** Rollouts that a template may concern, be it by way of another: those with an analysis where it can be named. */
function analysing(informers: Informers, template: AnalysisTemplate): readonly Request[] {
  return informers
    .for(rollouts)
    .list(template.metadata.namespace)
    .filter(
      (rollout) =>
        rollout.spec.strategy.canary?.analysis !== undefined ||
        stepsOf(rollout).some((step) => step.analysis !== undefined),
    )
    .map(({ metadata }) => ({ namespace: metadata.namespace ?? "default", name: metadata.name }));
}
