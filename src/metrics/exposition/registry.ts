/** The metrics a process of ours has about itself, and their exposition. */
import { type Labels, labelsKey } from "../labels.ts";

type Kind = "counter" | "gauge" | "histogram";

interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: Kind;
  readonly buckets: readonly number[];
  readonly series: Map<string, Series>;
}

interface Series {
  readonly labels: Labels;
  value: number;
  /** Histograms: observations per bucket, not cumulated. */
  readonly counts: number[];
  count: number;
}

export interface Counter {
  add(labels?: Labels, by?: number): void;
}
export interface Gauge {
  set(value: number, labels?: Labels): void;
}
export interface Histogram {
  observe(value: number, labels?: Labels): void;
}

export class MetricRegistry {
  readonly #families = new Map<string, Family>();

  counter(name: string, help: string): Counter {
    const family = this.#family(name, help, "counter");
    return { add: (labels = {}, by = 1) => void (seriesOf(family, labels).value += by) };
  }

  gauge(name: string, help: string): Gauge {
    const family = this.#family(name, help, "gauge");
    return { set: (value, labels = {}) => void (seriesOf(family, labels).value = value) };
  }

  /** @param buckets upper bounds, ascending, without +Inf */
  histogram(name: string, help: string, buckets: readonly number[]): Histogram {
    const family = this.#family(name, help, "histogram", buckets);
    return {
      observe(value, labels = {}) {
        const series = seriesOf(family, labels);
        const bucket = family.buckets.findIndex((bound) => value <= bound);
        const index = bucket < 0 ? family.buckets.length : bucket;
        series.counts[index] = (series.counts[index] ?? 0) + 1;
        series.value += value;
        series.count += 1;
      },
    };
  }

  /** Prometheus text exposition 0.0.4. */
  expose(): string {
    return [...this.#families.values()].map(exposeFamily).join("");
  }

  #family(name: string, help: string, kind: Kind, buckets: readonly number[] = []): Family {
    const known = this.#families.get(name);
    if (known !== undefined) return known;
    const family: Family = { name, help, kind, buckets, series: new Map() };
    this.#families.set(name, family);
    return family;
  }
}

function seriesOf(family: Family, labels: Labels): Series {
  const key = labelsKey(labels);
  const known = family.series.get(key);
  if (known !== undefined) return known;
  const series: Series = {
    labels,
    value: 0,
    counts: Array.from({ length: family.buckets.length + 1 }, () => 0),
    count: 0,
  };
  family.series.set(key, series);
  return series;
}

function exposeFamily(family: Family): string {
  const lines = [`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.kind}`];
  for (const series of family.series.values()) {
    if (family.kind === "histogram") lines.push(...exposeHistogram(family, series));
    else lines.push(`${family.name}${formatLabels(series.labels)} ${formatNumber(series.value)}`);
  }
  return `${lines.join("\n")}\n`;
}

function exposeHistogram(family: Family, series: Series): string[] {
  let total = 0;
  const lines = [...family.buckets, Number.POSITIVE_INFINITY].map((bound, index) => {
    total += series.counts[index] ?? 0;
    return `${family.name}_bucket${formatLabels({ ...series.labels, le: formatNumber(bound) })} ${total}`;
  });
  lines.push(`${family.name}_sum${formatLabels(series.labels)} ${formatNumber(series.value)}`);
  lines.push(`${family.name}_count${formatLabels(series.labels)} ${series.count}`);
  return lines;
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

/** As Prometheus prints sample values. */
export function formatNumber(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(value);
}
