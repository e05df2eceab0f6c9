/** Validation of metrics and analysis templates, with upstream's messages. */
import { linearPattern, parseGoDuration, type Problem } from "#lib";
import { parseExpression } from "../expression/parse.ts";
import type { IntOrString } from "../meta/object.ts";
import type { AnalysisArgument, AnalysisTemplateSpec, DryRun, Metric, MetricProvider } from "./analysis.ts";
import { invalid, notSupported, required } from "./field-problem.ts";
import type { RolloutAnalysis } from "./rollout.ts";

const knownProviders = [
  "prometheus",
  "kayenta",
  "web",
  "datadog",
  "wavefront",
  "newRelic",
  "job",
  "cloudWatch",
  "graphite",
  "influxdb",
  "skywalking",
  "plugin",
] as const;

/** A text with `{{args.x}}` in it has no value before its run is made: it is checked again then. */
function isTemplated(value: unknown): boolean {
  return typeof value === "string" && value.includes("{{");
}

/** The number of a limit, undefined when absent, templated or no number. */
export function limitValue(value: IntOrString | undefined): number | undefined {
  if (value === undefined || value === null || isTemplated(value)) return undefined;
  const number = typeof value === "number" ? value : value.trim() === "" ? Number.NaN : Number(value);
  return Number.isInteger(number) ? number : undefined;
}

/** Checks the metrics of a run or a template that names at least one; `path` is that of the list. */
export function validateMetrics(metrics: readonly Metric[], path: string): Problem[] {
  if (metrics.length === 0) return [required(path, "no metrics specified")];
  const names = new Set<string>();
  return metrics.flatMap((metric, index) => {
    const at = `${path}[${index}]`;
    const problems = validateMetric(metric, at);
    if (!metric.name) problems.push(required(`${at}.name`, ""));
    else if (names.has(metric.name))
      problems.push(invalid(`${at}.name`, metric.name, `duplicate name '${metric.name}'`));
    names.add(metric.name);
    return problems;
  });
}

function validateMetric(metric: Metric, path: string): Problem[] {
  return [
    ...numberProblems(metric, path),
    ...limitProblems(metric, path),
    ...durationProblems(metric, path),
    ...conditionProblems(metric, path),
    ...providerProblems(metric.provider, `${path}.provider`),
  ];
}

function numberProblems(metric: Metric, path: string): Problem[] {
  const fields = [
    "count",
    "failureLimit",
    "inconclusiveLimit",
    "consecutiveErrorLimit",
    "consecutiveSuccessLimit",
  ] as const;
  return fields.flatMap((field) => {
    const value = metric[field];
    if (value === undefined || isTemplated(value) || limitValue(value) !== undefined) return [];
    return [invalid(`${path}.${field}`, value, "must be a whole number")];
  });
}

function limitProblems(metric: Metric, path: string): Problem[] {
  const failure = limitValue(metric.failureLimit) ?? 0;
  const success = limitValue(metric.consecutiveSuccessLimit) ?? 0;
  const inconclusive = limitValue(metric.inconclusiveLimit) ?? 0;
  const errors = limitValue(metric.consecutiveErrorLimit) ?? 4;
  const problems: Problem[] = [];
  const refuse = (field: keyof Metric, message: string): void => {
    problems.push(invalid(`${path}.${field}`, metric[field], message));
  };
  if (success < 0) refuse("consecutiveSuccessLimit", "consecutiveSuccessLimit must be >= 0");
  if (failure < -1) refuse("failureLimit", "failureLimit must be >= 0, or -1 to be disabled");
  if (success === 0 && failure === -1 && !isTemplated(metric.consecutiveSuccessLimit)) {
    refuse("failureLimit", "failureLimit and consecutiveSuccessLimit cannot both be disabled");
  }
  if (inconclusive < 0) refuse("inconclusiveLimit", "inconclusiveLimit must be >= 0");
  if (errors < 0) refuse("consecutiveErrorLimit", "consecutiveErrorLimit must be >= 0");
  return [...problems, ...countProblems(metric, { failure, success, inconclusive }, path)];
}

function countProblems(
  metric: Metric,
  limits: { readonly failure: number; readonly success: number; readonly inconclusive: number },
  path: string,
): Problem[] {
  const count = limitValue(metric.count) ?? 0;
  const { failure, success, inconclusive } = limits;
  const problems: Problem[] = [];
  if (count > 0 && success >= 0 && failure >= 0 && count < failure + success) {
    const message = `count (${count}) must be >= failureLimit + consecutiveSuccessLimit (${failure} + ${success}) if both >= 0`;
    problems.push(invalid(`${path}.count`, metric.count, message));
  }
  if (count > 0 && failure < 0 && count < success) {
    problems.push(invalid(`${path}.count`, metric.count, "count must be >= consecutiveSuccessLimit"));
  }
  if (count > 0 && count < inconclusive) {
    problems.push(invalid(`${path}.count`, metric.count, "count must be >= inconclusiveLimit"));
  }
  if (count > 1 && !metric.interval) {
    problems.push(required(`${path}.interval`, "interval must be specified when count > 1"));
  }
  return problems;
}

function durationProblems(metric: Metric, path: string): Problem[] {
  return (["interval", "initialDelay"] as const).flatMap((field) => {
    const text = metric[field];
    if (text === undefined || text === "" || isTemplated(text)) return [];
    const ms = parseGoDuration(String(text));
    if (ms !== undefined && ms >= 0) return [];
    return [invalid(`${path}.${field}`, text, "must be a duration with a unit, such as 30s or 5m")];
  });
}

function conditionProblems(metric: Metric, path: string): Problem[] {
  return (["successCondition", "failureCondition"] as const).flatMap((field) => {
    const text = metric[field];
    if (text === undefined || text === "" || isTemplated(text)) return [];
    const parsed = parseExpression(text);
    return parsed.problems.map(({ message, at }) =>
      invalid(`${path}.${field}`, text, `column ${at?.column ?? 1}: ${message}`),
    );
  });
}

function providerProblems(provider: MetricProvider | undefined, path: string): Problem[] {
  const set = Object.keys(provider ?? {}).filter((key) => provider?.[key] !== undefined && provider[key] !== null);
  if (set.length === 0) return [required(path, "no provider specified")];
  if (set.length > 1) return [invalid(path, set, "multiple providers specified")];
  const name = set[0] ?? "";
  if (name !== "prometheus") {
    if (!knownProviders.some((known) => known === name)) return [invalid(path, name, "unknown provider")];
    return [notSupported(`${path}.${name}`, "use the prometheus provider")];
  }
  const prometheus = provider?.prometheus;
  const problems: Problem[] = [];
  if (!prometheus?.query) problems.push(required(`${path}.prometheus.query`, ""));
  if (typeof prometheus?.timeout === "number" && prometheus.timeout < 0) {
    const message = "prometheus timeout should not be negative";
    problems.push(invalid(`${path}.prometheus.timeout`, prometheus.timeout, message));
  }
  if (prometheus?.insecure === true) {
    problems.push(
      notSupported(`${path}.prometheus.insecure`, "give Prometheus a certificate that this machine trusts"),
    );
  }
  if (prometheus?.authentication?.sigv4 !== undefined) {
    problems.push(notSupported(`${path}.prometheus.authentication.sigv4`, "use basicAuth, oauth2 or headers"));
  }
  return problems;
}

/** Checks an `AnalysisTemplate`'s spec. One without metrics is fine when it names other templates. */
export function validateTemplateSpec(spec: AnalysisTemplateSpec | undefined): Problem[] {
  if (spec === undefined) return [required("spec", "")];
  const metrics = spec.metrics ?? [];
  const onlyRefers = metrics.length === 0 && (spec.templates ?? []).length > 0;
  return [
    ...(onlyRefers ? [] : validateMetrics(metrics, "spec.metrics")),
    ...argumentProblems(spec.args ?? [], "spec.args"),
    ...ruleProblems(spec.dryRun, "spec.dryRun"),
    ...ruleProblems(spec.measurementRetention, "spec.measurementRetention"),
  ];
}

export function argumentProblems(args: readonly AnalysisArgument[], path: string): Problem[] {
  return args.flatMap((arg, index) => {
    if (!arg.name) return [required(`${path}[${index}].name`, "")];
    if (arg.value !== undefined && typeof arg.value !== "string") {
      return [invalid(`${path}[${index}].value`, arg.value, "must be a string: put it in quotes")];
    }
    if (arg.value !== undefined && arg.valueFrom !== undefined) {
      return [invalid(`${path}[${index}]`, arg.name, "must have one of value and valueFrom, not both")];
    }
    return [];
  });
}

/** `metricName` of dryRun and measurementRetention rules: a regular expression, named once. */
export function ruleProblems(rules: readonly DryRun[] | undefined, path: string): Problem[] {
  const seen = new Set<string>();
  return (rules ?? []).flatMap(({ metricName }, index) => {
    const at = `${path}[${index}].metricName`;
    if (!metricName) return [required(at, "")];
    if (seen.has(metricName)) return [{ path: at, message: `Duplicate value: ${JSON.stringify(metricName)}` }];
    seen.add(metricName);
    return isPattern(metricName) ? [] : [invalid(at, metricName, "must be a regular expression")];
  });
}

function isPattern(text: string): boolean {
  try {
    return linearPattern(text).source !== "";
  } catch {
    return false;
  }
}

/** Checks the analysis of a step or of the background: it must name templates and give its args values. */
export function analysisReferenceProblems(analysis: RolloutAnalysis, path: string): Problem[] {
  const problems: Problem[] = [];
  const templates = analysis?.templates ?? [];
  if (templates.length === 0) problems.push(required(`${path}.templates`, "name at least one AnalysisTemplate"));
  templates.forEach((template, index) => {
    if (!template?.templateName) problems.push(required(`${path}.templates[${index}].templateName`, ""));
  });
  (analysis?.args ?? []).forEach((arg, index) => {
    const at = `${path}.args[${index}]`;
    if (!arg.name) problems.push(required(`${at}.name`, ""));
    if (arg.value !== undefined && typeof arg.value !== "string") {
      problems.push(invalid(`${at}.value`, arg.value, "must be a string: put it in quotes"));
    }
    const hash = arg.valueFrom?.podTemplateHashValue;
    if (hash !== undefined && hash !== "Latest" && hash !== "Stable") {
      const message = `Unsupported value: ${JSON.stringify(hash)}: supported values: "Latest", "Stable"`;
      problems.push({ path: `${at}.valueFrom.podTemplateHashValue`, message });
    }
  });
  problems.push(...ruleProblems(analysis?.dryRun, `${path}.dryRun`));
  problems.push(...ruleProblems(analysis?.measurementRetention, `${path}.measurementRetention`));
  return problems;
}
