/** From measurements to the phases of metrics and of the run. Rules and texts are upstream's. */
import {
  type AnalysisPhase,
  type AnalysisRun,
  isFinished,
  limitValue,
  type Measurement,
  type Metric,
  type MetricResult,
} from "#api";

/** How often a metric is measured; undefined: until something ends it. */
export function effectiveCount(metric: Metric): number | undefined {
  const count = limitValue(metric.count) ?? 0;
  if (count > 0) return count;
  return metric.interval === undefined || metric.interval === "" ? 1 : undefined;
}

/** A run that is to end: told so, or with a metric (not a dry-run one) that has failed. It measures no more. */
export function isTerminating(run: AnalysisRun): boolean {
  if (run.spec.terminate === true) return true;
  return (run.status?.metricResults ?? []).some(
    (result) => result.dryRun !== true && ["Failed", "Error", "Inconclusive"].includes(result.phase),
  );
}

/** The result with one more measurement counted in. */
export function withMeasurement(result: MetricResult, measurement: Measurement): MetricResult {
  const next: MetricResult = { ...result, measurements: [...(result.measurements ?? []), measurement] };
  if (measurement.phase === "Error") {
    next.error = (result.error ?? 0) + 1;
    next.consecutiveError = (result.consecutiveError ?? 0) + 1;
    next.consecutiveSuccess = 0;
    return next;
  }
  next.count = (result.count ?? 0) + 1;
  next.consecutiveError = 0;
  next.consecutiveSuccess = measurement.phase === "Successful" ? (result.consecutiveSuccess ?? 0) + 1 : 0;
  if (measurement.phase === "Successful") next.successful = (result.successful ?? 0) + 1;
  if (measurement.phase === "Failed") next.failed = (result.failed ?? 0) + 1;
  if (measurement.phase === "Inconclusive") next.inconclusive = (result.inconclusive ?? 0) + 1;
  return next;
}

/** A limit that was passed; the last that applies wins. */
export function passedLimit(
  metric: Metric,
  result: MetricResult,
): { readonly phase: AnalysisPhase; readonly message: string } | undefined {
  const { failed = 0, inconclusive = 0, consecutiveError = 0 } = result;
  const failureLimit = limitValue(metric.failureLimit) ?? 0;
  const inconclusiveLimit = limitValue(metric.inconclusiveLimit) ?? 0;
  const errorLimit = limitValue(metric.consecutiveErrorLimit) ?? 4;
  if (consecutiveError > errorLimit) {
    const message = `consecutiveErrors (${consecutiveError}) > consecutiveErrorLimit (${errorLimit})`;
    return { phase: "Error", message };
  }
  if (inconclusive > inconclusiveLimit) {
    return {
      phase: "Inconclusive",
      message: `inconclusive (${inconclusive}) > inconclusiveLimit (${inconclusiveLimit})`,
    };
  }
  if (failureLimit >= 0 && failed > failureLimit) {
    return { phase: "Failed", message: `failed (${failed}) > failureLimit (${failureLimit})` };
  }
  return undefined;
}

/** The phase of one metric after its latest measurement. */
export function metricPhase(metric: Metric, result: MetricResult, terminating: boolean): AnalysisPhase {
  if (isFinished(result.phase)) return result.phase;
  const last = result.measurements?.at(-1);
  if (last === undefined) return terminating ? "Successful" : "Pending";
  if (!isFinished(last.phase)) return "Running";
  const passed = passedLimit(metric, result);
  if (passed !== undefined) return passed.phase;
  const successLimit = limitValue(metric.consecutiveSuccessLimit) ?? 0;
  if (successLimit > 0 && (result.consecutiveSuccess ?? 0) >= successLimit) return "Successful";
  const count = effectiveCount(metric);
  if (count !== undefined && (result.count ?? 0) >= count) {
    if (successLimit <= 0) return "Successful";
    return (limitValue(metric.failureLimit) ?? 0) >= 0 ? "Inconclusive" : "Failed";
  }
  return terminating ? "Successful" : "Running";
}

const severity: readonly AnalysisPhase[] = ["Successful", "Running", "Pending", "Inconclusive", "Error", "Failed"];

export function isWorse(current: AnalysisPhase, next: AnalysisPhase): boolean {
  return severity.indexOf(next) > severity.indexOf(current);
}
