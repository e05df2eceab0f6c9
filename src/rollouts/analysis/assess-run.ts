/** The status of a run from the results of its metrics. */
import {
  type AnalysisPhase,
  type AnalysisRun,
  type AnalysisRunStatus,
  isFinished,
  type Metric,
  type MetricResult,
  type MetricSummary,
} from "#api";
import { preciseTime } from "../timestamps.ts";
import { isTerminating, isWorse, metricPhase, passedLimit } from "./assess.ts";

export interface RunEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

interface Tally {
  allFinished: boolean;
  worst: AnalysisPhase | undefined;
  message: string;
  readonly summary: MetricSummary;
  readonly drySummary: MetricSummary;
  readonly results: MetricResult[];
  readonly events: RunEvent[];
}

/** Phase, message, summaries and results of `run` after its latest measurements. */
export function assessRun(
  run: AnalysisRun,
  metrics: readonly Metric[],
  dryRun: ReadonlySet<string>,
  now: Temporal.Instant,
): { readonly status: AnalysisRunStatus; readonly events: readonly RunEvent[] } {
  const old = run.status ?? { phase: "" };
  const first = tally(run, metrics, dryRun, isTerminating(run));
  // A metric that has just failed ends the others in the same breath; upstream needs one more reconcile for that.
  const assessed = { ...run, status: { ...old, metricResults: first.results } };
  const total = isTerminating(assessed) ? tally(assessed, metrics, dryRun, true) : first;
  const events = total === first ? first.events : [...first.events, ...total.events];
  const ended = isTerminating(assessed);
  const running = !ended && (!total.allFinished || total.worst === undefined);
  const phase: AnalysisPhase = running ? "Running" : (total.worst ?? "Successful");
  const status: AnalysisRunStatus = {
    ...old,
    phase,
    metricResults: total.results,
    runSummary: total.summary,
    dryRunSummary: total.drySummary,
  };
  if (total.message !== "" && !running) status.message = total.message;
  if (!isFinished(phase)) return { status, events };
  status.completedAt = old.completedAt ?? preciseTime(now);
  return { status, events: [...events, completed(phase)] };
}

function tally(run: AnalysisRun, metrics: readonly Metric[], dryRun: ReadonlySet<string>, terminating: boolean): Tally {
  const total: Tally = {
    allFinished: true,
    worst: undefined,
    message: run.spec.terminate === true ? "Run Terminated" : "",
    summary: { count: metrics.filter((metric) => !dryRun.has(metric.name)).length },
    drySummary: { count: metrics.filter((metric) => dryRun.has(metric.name)).length },
    results: [...(run.status?.metricResults ?? [])],
    events: [],
  };
  for (const metric of metrics) {
    const index = total.results.findIndex((result) => result.name === metric.name);
    const result = total.results[index];
    if (result === undefined) total.allFinished = false;
    else total.results[index] = assessMetric(total, metric, result, dryRun.has(metric.name), terminating);
  }
  return total;
}

function assessMetric(
  total: Tally,
  metric: Metric,
  old: MetricResult,
  isDry: boolean,
  terminating: boolean,
): MetricResult {
  const phase = metricPhase(metric, old, terminating);
  const result: MetricResult = { ...old, phase };
  if (phase !== old.phase) {
    const message = old.measurements?.at(-1)?.message;
    if (message !== undefined) result.message = message;
    if (isFinished(phase)) total.events.push(metricCompleted(metric.name, phase));
  }
  if (!isFinished(phase)) {
    total.allFinished = false;
    return result;
  }
  const passed = passedLimit(metric, result);
  count(isDry ? total.drySummary : total.summary, passed?.phase ?? phase);
  if (isDry) {
    total.worst ??= "Successful";
    if (passed !== undefined) result.message = `Metric assessed ${phase} due to ${passed.message}`;
    return result;
  }
  if (total.worst === undefined || isWorse(total.worst, phase)) {
    total.worst = phase;
    if (passed !== undefined) {
      const detail = result.message === undefined ? "" : `: "Error Message: ${result.message}"`;
      total.message = `Metric "${metric.name}" assessed ${phase} due to ${passed.message}${detail}`;
    }
  }
  return result;
}

function count(summary: MetricSummary, phase: AnalysisPhase): void {
  const field = phase === "Failed" || phase === "Error" || phase === "Inconclusive" ? phase : "Successful";
  const key = field.toLowerCase() as "failed" | "error" | "inconclusive" | "successful";
  summary[key] = (summary[key] ?? 0) + 1;
}

function eventType(phase: AnalysisPhase): "Normal" | "Warning" {
  return phase === "Failed" || phase === "Error" ? "Warning" : "Normal";
}

function metricCompleted(name: string, phase: AnalysisPhase): RunEvent {
  return {
    type: eventType(phase),
    reason: `Metric${phase}`,
    message: `Metric '${name}' Completed. Result: ${phase}`,
  };
}

function completed(phase: AnalysisPhase): RunEvent {
  return { type: eventType(phase), reason: `AnalysisRun${phase}`, message: `Analysis Completed. Result: ${phase}` };
}
