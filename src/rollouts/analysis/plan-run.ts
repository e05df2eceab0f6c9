/**
 * The life of an AnalysisRun, pure. One reconcile is: `planRun` says what to measure now, the caller measures, and
 * `concludeRun` makes the new status of it and says when to come back.
 */
import {
  type AnalysisRun,
  type AnalysisRunStatus,
  isFinished,
  type Measurement,
  type Metric,
  type MetricResult,
  validateMetrics,
} from "#api";
import { formatProblem, parseGoDuration } from "#lib";
import { after, isPast, preciseTime } from "../timestamps.ts";
import { assessRun, type RunEvent } from "./assess-run.ts";
import { substitute } from "./arguments.ts";
import { effectiveCount, isTerminating, withMeasurement } from "./assess.ts";
import { namesMatching } from "./rules.ts";
import type { Made } from "./templates.ts";

const errorRetryMs = 10_000;
const defaultRetention = 10;

export type RunPlan =
  /** The time-to-live is over. */
  | { readonly kind: "delete" }
  /** Nothing to do; `until` when a time-to-live runs. */
  | { readonly kind: "rest"; readonly until: Temporal.Instant | undefined }
  /** The run cannot be done: it ends in Error. */
  | { readonly kind: "fail"; readonly status: AnalysisRunStatus; readonly events: readonly RunEvent[] }
  /** Measure these now (none is possible), then conclude. */
  | { readonly kind: "measure"; readonly metrics: readonly Metric[] };

export interface Measured {
  readonly metric: string;
  readonly measurement: Measurement;
  /** Kept with the metric's result, e.g. the query with its args filled in. */
  readonly metadata?: Record<string, string>;
}

export interface RunConclusion {
  readonly status: AnalysisRunStatus;
  readonly events: readonly RunEvent[];
  /** When the next measurement is due. */
  readonly nextAt: Temporal.Instant | undefined;
}

/** What to do with the run at `now`. `values` are those of its args; secret ones may be stand-ins here. */
export function planRun(run: AnalysisRun, values: ReadonlyMap<string, string>, now: Temporal.Instant): RunPlan {
  const phase = run.status?.phase ?? "";
  if (isFinished(phase)) return timeToLive(run, now);
  const metrics = resolveMetrics(run, values);
  if (metrics.kind === "refused") return fail(run, metrics.message, now);
  return { kind: "measure", metrics: metrics.value.filter((metric) => isDue(run, metric, now)) };
}

/** The status after `measured`, and when to come back. */
export function concludeRun(
  run: AnalysisRun,
  values: ReadonlyMap<string, string>,
  measured: readonly Measured[],
  now: Temporal.Instant,
): RunConclusion {
  const resolved = resolveMetrics(run, values);
  // planRun refused such a run before anything was measured
  const metrics = resolved.kind === "made" ? resolved.value : [];
  const dryRun = namesMatching(run.spec.dryRun, metrics);
  let results = run.status?.metricResults ?? [];
  for (const { metric, measurement, metadata } of measured) {
    const known = results.find((result) => result.name === metric);
    const base: MetricResult = known ?? {
      name: metric,
      phase: "Running",
      ...(dryRun.has(metric) ? { dryRun: true } : {}),
      ...(metadata === undefined ? {} : { metadata }),
    };
    const next = withMeasurement(base, measurement);
    results = known === undefined ? [...results, next] : results.map((result) => (result === known ? next : result));
  }
  const started: AnalysisRun = {
    ...run,
    status: {
      ...(run.status ?? { phase: "" }),
      metricResults: results,
      startedAt: run.status?.startedAt ?? preciseTime(now),
    },
  };
  const { status, events } = assessRun(started, metrics, dryRun, now);
  const trimmed = { ...status, metricResults: trim(run, status.metricResults ?? [], metrics) };
  return { status: trimmed, events, nextAt: nextDue({ ...started, status: trimmed }, metrics) };
}

function resolveMetrics(run: AnalysisRun, values: ReadonlyMap<string, string>): Made<Metric[]> {
  const metrics: Metric[] = [];
  for (const metric of run.spec.metrics) {
    const resolved = substitute(metric, values);
    if (resolved.kind === "refused") {
      return { kind: "refused", message: `Unable to resolve metric arguments: ${resolved.message}` };
    }
    metrics.push(resolved.value);
  }
  const [problem] = validateMetrics(metrics, "metrics");
  if (problem !== undefined) return { kind: "refused", message: `Analysis spec invalid: ${formatProblem(problem)}` };
  for (const field of ["dryRun", "measurementRetention"] as const) {
    const index = (run.spec[field] ?? []).findIndex((rule) => namesMatching([rule], metrics).size === 0);
    if (index >= 0) {
      const message = `Analysis spec invalid: ${field}[${index}]: Rule didn't match any metric name(s)`;
      return { kind: "refused", message };
    }
  }
  return { kind: "made", value: metrics };
}

function fail(run: AnalysisRun, message: string, now: Temporal.Instant): RunPlan {
  const time = preciseTime(now);
  const status: AnalysisRunStatus = { ...run.status, phase: "Error", message, completedAt: time };
  return {
    kind: "fail",
    status: { ...status, startedAt: run.status?.startedAt ?? time },
    events: [completion("Error")],
  };
}

function completion(phase: "Error"): RunEvent {
  return { type: "Warning", reason: `AnalysisRun${phase}`, message: `Analysis Completed. Result: ${phase}` };
}

function timeToLive(run: AnalysisRun, now: Temporal.Instant): RunPlan {
  const ttl = run.spec.ttlStrategy;
  const { phase, completedAt } = run.status ?? {};
  if (ttl === undefined || completedAt === undefined) return { kind: "rest", until: undefined };
  const special =
    phase === "Successful" ? ttl.secondsAfterSuccess : phase === "Failed" ? ttl.secondsAfterFailure : undefined;
  const seconds = special ?? ttl.secondsAfterCompletion;
  if (seconds === undefined) return { kind: "rest", until: undefined };
  const until = after(completedAt, seconds * 1000);
  return isPast(until, now) ? { kind: "delete" } : { kind: "rest", until };
}

function resultOf(run: AnalysisRun, metric: Metric): MetricResult | undefined {
  return run.status?.metricResults?.find((result) => result.name === metric.name);
}

function isDue(run: AnalysisRun, metric: Metric, now: Temporal.Instant): boolean {
  if (isTerminating(run)) return false;
  const due = dueAt(run, metric, now);
  return due !== undefined && Temporal.Instant.compare(due, now) <= 0;
}

/** When the metric is to be measured next; undefined: never again. `start` stands for a run that has not begun. */
function dueAt(run: AnalysisRun, metric: Metric, start: Temporal.Instant): Temporal.Instant | undefined {
  const result = resultOf(run, metric);
  if (result !== undefined && isFinished(result.phase)) return undefined;
  const last = result?.measurements?.at(-1);
  if (last === undefined) {
    const delayMs = parseGoDuration(metric.initialDelay ?? "") ?? 0;
    return after(run.status?.startedAt ?? preciseTime(start), delayMs);
  }
  const count = effectiveCount(metric);
  if (count !== undefined && (result?.count ?? 0) >= count) return undefined;
  const intervalMs = parseGoDuration(metric.interval ?? "") ?? errorRetryMs;
  // After an error the next try comes in 10 s, whatever the interval.
  return after(last.finishedAt ?? preciseTime(start), last.phase === "Error" ? errorRetryMs : intervalMs);
}

function nextDue(run: AnalysisRun, metrics: readonly Metric[]): Temporal.Instant | undefined {
  if (isFinished(run.status?.phase ?? "")) return timeToLiveEnd(run);
  const start = Temporal.Instant.from(run.status?.startedAt ?? "1970-01-01T00:00:00Z");
  const due = metrics.flatMap((metric) => dueAt(run, metric, start) ?? []);
  return due.toSorted((a, b) => Temporal.Instant.compare(a, b))[0];
}

function timeToLiveEnd(run: AnalysisRun): Temporal.Instant | undefined {
  const plan = timeToLive(run, Temporal.Instant.fromEpochMilliseconds(0));
  return plan.kind === "rest" ? plan.until : undefined;
}

function trim(run: AnalysisRun, results: readonly MetricResult[], metrics: readonly Metric[]): MetricResult[] {
  return results.map((result) => {
    const rule = (run.spec.measurementRetention ?? []).findLast(
      (candidate) => candidate.limit > 0 && namesMatching([candidate], metrics).has(result.name),
    );
    const kept = (result.measurements ?? []).slice(-(rule?.limit ?? defaultRetention));
    return { ...result, measurements: kept };
  });
}
