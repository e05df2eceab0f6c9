/**
 * Metrics for autoscaling, out of our own series. A metric is a series by its name; `<name>_per_second`, where no such
 * series is, is the rate of the counter `<name>_total` (or `<name>`) over a minute.
 */
import type { LabelSelector } from "#api";
import { AppError, type Clock } from "#lib";
import type { Metrics } from "#metrics";
import type { MetricSeriesPort } from "#workloads";

class MetricSeriesError extends AppError<"server/bad-metric-name"> {}

export interface SeriesMetric {
  readonly name: string;
  readonly selector?: LabelSelector;
}

type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

export function metricSeries(metrics: Pick<Metrics, "query">, clock: Clock): MetricSeriesPort {
  const first = (queries: readonly string[]): readonly Sample[] => {
    for (const query of queries) {
      const value = metrics.query(query, clock.now());
      if (value.type === "vector" && value.samples.length > 0) return value.samples;
    }
    return [];
  };
  return {
    async ofPods(metric, namespace) {
      const samples = first(seriesQueries(metric, { namespace }, "sum by (pod)"));
      const named = samples.filter(({ labels }) => (labels["pod"] ?? "") !== "");
      return await Promise.resolve(new Map(named.map(({ labels, value }) => [labels["pod"] ?? "", value])));
    },
    async ofObject(metric, { kind, name, namespace }) {
      const own = kind === "Namespace" ? { namespace: name } : { namespace, [kind.toLowerCase()]: name };
      return await Promise.resolve(first(seriesQueries(metric, own, "sum")).map(({ value }) => value));
    },
    async external(metric) {
      return await Promise.resolve(first(seriesQueries(metric, {}, undefined)).map(({ value }) => value));
    },
  };
}

const seriesName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const perSecond = /^(.+)_per_second$/;

/** What to ask, the first answer being the one: pure. Throws for a name that no series can have. */
export function seriesQueries(
  metric: SeriesMetric,
  labels: Readonly<Record<string, string>>,
  aggregate: string | undefined,
): string[] {
  if (!seriesName.test(metric.name)) {
    const message = `Cannot look for metric "${metric.name}": a series is named by letters, digits, _ and :`;
    throw new MetricSeriesError("server/bad-metric-name", message);
  }
  const matchers = [
    ...Object.entries(labels).map(([name, value]) => `${name}=${quoted(value)}`),
    ...selectorMatchers(metric.selector),
  ].join(",");
  const around = (text: string): string => (aggregate === undefined ? text : `${aggregate} (${text})`);
  const base = perSecond.exec(metric.name)?.[1];
  const rates = base === undefined ? [] : [`${base}_total`, base].map((name) => `rate(${name}{${matchers}}[1m])`);
  return [`${metric.name}{${matchers}}`, ...rates].map(around);
}

function selectorMatchers({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): string[] {
  const equal = Object.entries(matchLabels).map(([key, value]) => `${labelName(key)}=${quoted(value)}`);
  const rules = matchExpressions.map(({ key, operator, values = [] }) => {
    const any = quoted(values.map(escaped).join("|"));
    const matcher = { In: `=~${any}`, NotIn: `!~${any}`, Exists: '!=""', DoesNotExist: '=""' }[operator];
    return `${labelName(key)}${matcher}`;
  });
  return [...equal, ...rules];
}

/** Labels of series have neither dots nor slashes: what scrapes objects puts `_` there. */
function labelName(key: string): string {
  return key.replaceAll(/[^a-zA-Z0-9_]/g, "_");
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
