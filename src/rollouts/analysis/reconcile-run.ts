/** Reconciles AnalysisRuns: plan, measure, conclude, write. */
import { type AnalysisRun, type AnalysisRunStatus, analysisRuns } from "#api";
import { type Clock, deepEqual, msBetween } from "#lib";
import { type Cluster, isKubeError } from "#kube";
import { type Informers, type Outcome, recordEvent, type Request, settled } from "#controller";
import type { MeasurePort } from "../ports.ts";
import type { RunEvent } from "./assess-run.ts";
import { argValues, measureMetrics, secretValues } from "./measure-metrics.ts";
import { concludeRun, type Measured, planRun } from "./plan-run.ts";

export interface RunReconcilerOptions {
  readonly cluster: Cluster;
  readonly informers: Informers;
  readonly measure: MeasurePort;
  readonly clock: Clock;
}

export function createRunReconciler(
  options: RunReconcilerOptions,
): (request: Request, signal: AbortSignal) => Promise<Outcome> {
  const runs = options.informers.for(analysisRuns);
  return async (request, signal) => {
    const run = runs.get(request.namespace, request.name);
    if (run === undefined || run.metadata.deletionTimestamp !== undefined) return settled;
    return await reconcileRun(options, run, signal);
  };
}

async function reconcileRun(options: RunReconcilerOptions, run: AnalysisRun, signal: AbortSignal): Promise<Outcome> {
  const values = argValues(run.spec.args ?? []);
  const plan = planRun(run, values, options.clock.now());
  switch (plan.kind) {
    case "rest":
      return waitUntil(plan.until, options.clock, "time-to-live");
    case "delete":
      await deleteRun(options.cluster, run, signal);
      return settled;
    case "fail":
      await write(options, run, plan.status, plan.events, signal);
      return settled;
    case "measure": {
      const measured = await measureDue(options, run, new Set(plan.metrics.map((metric) => metric.name)), signal);
      if (typeof measured === "string") return await failRun(options, run, measured, signal);
      return await conclude(options, run, measured, signal);
    }
  }
}

async function measureDue(
  options: RunReconcilerOptions,
  run: AnalysisRun,
  names: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Measured[] | string> {
  if (names.size === 0) return [];
  const secret = await secretValues(options.cluster, run, signal);
  if (secret.kind === "refused") return secret.message;
  return await measureMetrics(options, run, names, secret.value, signal);
}

async function failRun(
  options: RunReconcilerOptions,
  run: AnalysisRun,
  why: string,
  signal: AbortSignal,
): Promise<Outcome> {
  const completedAt = options.clock.now().toString({ smallestUnit: "millisecond" });
  const message = `Unable to resolve metric arguments: ${why}`;
  const status: AnalysisRunStatus = { ...run.status, phase: "Error", message, completedAt };
  const event: RunEvent = {
    type: "Warning",
    reason: "AnalysisRunError",
    message: "Analysis Completed. Result: Error",
  };
  await write(options, run, status, [event], signal);
  return settled;
}

/**
 * Writes what was measured. If somebody changed the run meanwhile (terminated it, say), the conclusion is drawn again
 * from the newer run; unless its results changed, which means that this reconcile worked on an old copy: then what it
 * measured is dropped rather than counted twice.
 */
async function conclude(
  options: RunReconcilerOptions,
  observed: AnalysisRun,
  measured: readonly Measured[],
  signal: AbortSignal,
): Promise<Outcome> {
  const key = { namespace: observed.metadata.namespace ?? "default", name: observed.metadata.name };
  let run: AnalysisRun | undefined = observed;
  while (run !== undefined) {
    const { status, events, nextAt } = concludeRun(run, argValues(run.spec.args ?? []), measured, options.clock.now());
    try {
      await write(options, run, status, events, signal);
      return waitUntil(nextAt, options.clock, "next measurement");
    } catch (error) {
      if (!isKubeError(error, "Conflict")) throw error;
      run = await options.cluster.get(analysisRuns, key, { signal });
      if (run?.metadata.uid !== observed.metadata.uid) return settled;
      if (!deepEqual(run?.status?.metricResults, observed.status?.metricResults)) return settled;
    }
  }
  return settled;
}

async function write(
  options: RunReconcilerOptions,
  run: AnalysisRun,
  status: AnalysisRunStatus,
  events: readonly RunEvent[],
  signal: AbortSignal,
): Promise<void> {
  if (!deepEqual(status, run.status)) {
    // Upstream's kind has no status subresource.
    await options.cluster.update(analysisRuns, { ...structuredClone(run), status }, { signal });
  }
  const recorder = { cluster: options.cluster, clock: options.clock, component: "analysis-controller" };
  for (const event of events) await recordEvent(recorder, analysisRuns, run, event, signal);
}

async function deleteRun(cluster: Cluster, run: AnalysisRun, signal: AbortSignal): Promise<void> {
  const { namespace = "default", name, uid } = run.metadata;
  try {
    await cluster.delete(
      analysisRuns,
      { namespace, name },
      { signal, ...(uid === undefined ? {} : { preconditions: { uid } }) },
    );
  } catch (error) {
    if (!isKubeError(error, "NotFound") && !isKubeError(error, "Conflict")) throw error;
  }
}

function waitUntil(instant: Temporal.Instant | undefined, clock: Clock, reason: string): Outcome {
  if (instant === undefined) return settled;
  return { kind: "wait", ms: Math.max(1, msBetween(clock.now(), instant) + 1), reason };
}
