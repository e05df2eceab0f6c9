/** Evaluates an expression at an instant over the series store. Pure but for reading the store; bounded in samples. */
import { linearPattern, type LinearPattern } from "#lib";
import { type Labels, withoutLabels } from "../labels.ts";
import type { Series, SeriesStore } from "../store/series-store.ts";
import { aggregate } from "./aggregate.ts";
import type { Expression, Selector, Shift } from "./ast.ts";
import { evaluateBinary } from "./binary.ts";
import { numberFunctions, roundTo, timeFunctions } from "./each.ts";
import { queryFailed } from "./errors.ts";
import { histogramQuantile } from "./histogram-quantile.ts";
import { overTime } from "./over-time.ts";
import { metricName, type Point, type RangeSeries, type Value, type VectorSample } from "./values.ts";

/** How far back an instant selector looks for a sample. */
const lookbackMs = 5 * 60_000;
/** A query that would touch more is refused, as Prometheus' --query.max-samples does. */
const maxSamples = 50_000_000;
/** Nodes evaluated and series looked at, by fours: a query holds up the whole process, for about a second at this. */
const maxSteps = 3_000_000;
const defaultSubqueryStepMs = 60_000;

export interface QueryRange {
  readonly startMs: number;
  readonly endMs: number;
}

/** One query at one or more instants: its limits are for all of them together. */
export class Evaluation {
  readonly #store: SeriesStore;
  readonly #range: QueryRange;
  #touched = 0;
  #steps = 0;

  /** @param range what `@ start()` and `@ end()` mean; for an instant query both are its time */
  constructor(store: SeriesStore, range: QueryRange) {
    this.#store = store;
    this.#range = range;
  }

  value(node: Expression, timeMs: number): Value {
    this.#step(1);
    switch (node.kind) {
      case "number":
        return { type: "scalar", value: node.value };
      case "string":
        return { type: "string", value: node.value };
      case "selector":
        return { type: "vector", samples: this.#instant(node, timeMs) };
      case "matrix":
        return this.#matrix(node.selector, node.rangeMs, timeMs);
      case "subquery":
        return this.#subquery(node, timeMs);
      case "negate":
        return mapValue(this.value(node.inner, timeMs), (value) => -value);
      case "binary":
        return evaluateBinary(node, this.value(node.left, timeMs), this.value(node.right, timeMs));
      case "aggregate": {
        const parameter = node.parameter === undefined ? 0 : this.#plain(node.parameter, timeMs);
        return { type: "vector", samples: aggregate(node, this.#vector(node.inner, timeMs), parameter) };
      }
      case "call":
        return this.#call(node.name, node.args, timeMs);
    }
  }

  #instant(node: Selector, timeMs: number): (VectorSample & { readonly timeMs: number })[] {
    const at = this.#shifted(node, timeMs);
    return this.#select(node).flatMap((series) => {
      const { samples, labels } = series;
      const index = samples.indexAfter(at) - 1;
      if (index < 0 || samples.timeAt(index) <= at - lookbackMs || samples.isEnd(index)) return [];
      this.#count(1);
      return [{ labels, value: samples.valueAt(index), timeMs: samples.timeAt(index) }];
    });
  }

  #matrix(selector: Selector, rangeMs: number, timeMs: number): Value {
    const endMs = this.#shifted(selector, timeMs);
    const startMs = endMs - rangeMs;
    const series = this.#select(selector).flatMap((found) => {
      const points = this.#points(found, startMs, endMs);
      return points.length === 0 ? [] : [{ labels: found.labels, points }];
    });
    return { type: "matrix", series, startMs, endMs };
  }

  /** Samples in (startMs, endMs]. */
  #points(series: Series, startMs: number, endMs: number): Point[] {
    const { samples } = series;
    const points: Point[] = [];
    const last = samples.indexAfter(endMs);
    for (let index = samples.indexAfter(startMs); index < last; index++) {
      if (!samples.isEnd(index)) points.push({ timeMs: samples.timeAt(index), value: samples.valueAt(index) });
    }
    this.#count(points.length);
    return points;
  }

  #subquery(node: Extract<Expression, { kind: "subquery" }>, timeMs: number): Value {
    const endMs = this.#shifted(node, timeMs);
    const startMs = endMs - node.rangeMs;
    const stepMs = node.stepMs ?? defaultSubqueryStepMs;
    if (stepMs <= 0 || node.rangeMs / stepMs > 11_000)
      throw queryFailed("A subquery may have at most 11,000 steps above 0");
    const found = new Map<string, { labels: Labels; points: Point[] }>();
    // Steps are aligned to multiples of the step, so that neighbouring queries see the same points.
    for (let at = (Math.floor(startMs / stepMs) + 1) * stepMs; at <= endMs; at += stepMs) {
      const value = this.value(node.inner, at);
      const samples = value.type === "vector" ? value.samples : [{ labels: {}, value: scalarOf(value) }];
      for (const sample of samples) addPoint(found, sample, at);
    }
    return { type: "matrix", series: [...found.values()], startMs, endMs };
  }

  #call(name: string, args: readonly Expression[], timeMs: number): Value {
    const matrixIndex = args.findIndex((arg) => arg.kind === "matrix" || arg.kind === "subquery");
    if (matrixIndex >= 0) return this.#overTime(name, args, matrixIndex, timeMs);
    switch (name) {
      case "time":
        return { type: "scalar", value: timeMs / 1000 };
      case "pi":
        return { type: "scalar", value: Math.PI };
      case "vector":
        return { type: "vector", samples: [{ labels: {}, value: Number(this.#plain(args[0], timeMs)) }] };
      case "scalar": {
        const samples = this.#vector(args[0], timeMs);
        return { type: "scalar", value: samples.length === 1 ? (samples[0]?.value ?? Number.NaN) : Number.NaN };
      }
      default:
        return { type: "vector", samples: this.#vectorCall(name, args, timeMs) };
    }
  }

  #overTime(name: string, args: readonly Expression[], matrixIndex: number, timeMs: number): Value {
    const node = args[matrixIndex];
    const matrix = node === undefined ? undefined : this.value(node, timeMs);
    if (matrix?.type !== "matrix") throw queryFailed(`${name} needs a range`);
    const other = args.find((_arg, index) => index !== matrixIndex);
    const parameter = other === undefined ? 0 : Number(this.#plain(other, timeMs));
    if (name === "absent_over_time") {
      return { type: "vector", samples: matrix.series.length > 0 ? [] : [absentSample(node)] };
    }
    const keepsName = name === "last_over_time";
    const samples = matrix.series.flatMap(({ labels, points }: RangeSeries) => {
      const value = overTime(name, points, matrix, parameter);
      if (value === undefined) return [];
      return [{ labels: keepsName ? labels : withoutLabels(labels, metricName), value }];
    });
    return { type: "vector", samples };
  }

  #vectorCall(name: string, args: readonly Expression[], timeMs: number): VectorSample[] {
    const ofNumber = numberFunctions.get(name);
    if (ofNumber !== undefined) return mapSamples(this.#vector(args[0], timeMs), ofNumber);
    const ofTime = timeFunctions.get(name);
    if (ofTime !== undefined) {
      const times = args[0] === undefined ? [{ labels: {}, value: timeMs / 1000 }] : this.#vector(args[0], timeMs);
      return mapSamples(times, (seconds) => ofTime(new Date(seconds * 1000)));
    }
    const scalar = (index: number, fallback: number): number =>
      args[index] === undefined ? fallback : Number(this.#plain(args[index], timeMs));
    switch (name) {
      case "histogram_quantile":
        return histogramQuantile(scalar(0, 0), this.#vector(args[1], timeMs));
      case "round":
        return mapSamples(this.#vector(args[0], timeMs), (value) => roundTo(value, scalar(1, 1)));
      case "clamp":
        return mapSamples(this.#vector(args[0], timeMs), (value) =>
          Math.max(scalar(1, 0), Math.min(scalar(2, 0), value)),
        );
      case "clamp_min":
        return mapSamples(this.#vector(args[0], timeMs), (value) => Math.max(scalar(1, 0), value));
      case "clamp_max":
        return mapSamples(this.#vector(args[0], timeMs), (value) => Math.min(scalar(1, 0), value));
      case "sort":
        return [...this.#vector(args[0], timeMs)].sort((a, b) => a.value - b.value);
      case "sort_desc":
        return [...this.#vector(args[0], timeMs)].sort((a, b) => b.value - a.value);
      case "absent":
        return this.#vector(args[0], timeMs).length > 0 ? [] : [absentSample(args[0])];
      case "timestamp":
        return this.#timestamps(args[0], timeMs);
      case "label_replace":
        return this.#labelReplace(args, timeMs);
      default:
        throw queryFailed(`There is no function "${name}" here`);
    }
  }

  /** When each sample was taken; what is computed is taken now. */
  #timestamps(node: Expression | undefined, timeMs: number): VectorSample[] {
    if (node?.kind !== "selector") return mapSamples(this.#vector(node, timeMs), () => timeMs / 1000);
    return this.#instant(node, timeMs).map((sample) => ({
      labels: withoutLabels(sample.labels, metricName),
      value: sample.timeMs / 1000,
    }));
  }

  #labelReplace(args: readonly Expression[], timeMs: number): VectorSample[] {
    const [target = "", replacement = "", source = "", regex = ""] = args
      .slice(1)
      .map((arg) => String(this.#plain(arg, timeMs)));
    let pattern: LinearPattern;
    try {
      pattern = linearPattern(`^(?:${regex})$`, { dotAll: true });
    } catch {
      throw queryFailed(`"${regex}" is not a regular expression`);
    }
    const template = replacement.replaceAll(/\$\{(\w+)\}/g, "$$$1");
    return this.#vector(args[0], timeMs).map(({ labels, value }) => {
      const match = pattern.exec(labels[source] ?? "");
      if (match === undefined) return { labels, value };
      const text = template.replaceAll(/\$(\d+)/g, (_all, index: string) => match[Number(index)] ?? "");
      const { [target]: _replaced, ...rest } = labels;
      return { labels: text === "" ? rest : { ...rest, [target]: text }, value };
    });
  }

  #vector(node: Expression | undefined, timeMs: number): readonly VectorSample[] {
    const value = node === undefined ? undefined : this.value(node, timeMs);
    if (value?.type !== "vector") throw queryFailed("Expected a vector");
    return value.samples;
  }

  #plain(node: Expression | undefined, timeMs: number): number | string {
    const value = node === undefined ? undefined : this.value(node, timeMs);
    if (value?.type === "scalar" || value?.type === "string") return value.value;
    throw queryFailed("Expected a scalar or a string");
  }

  #shifted(shift: Shift, timeMs: number): number {
    const { at, offsetMs } = shift;
    if (at === undefined) return timeMs - offsetMs;
    if (at.kind === "time") return at.timeMs - offsetMs;
    return (at.kind === "start" ? this.#range.startMs : this.#range.endMs) - offsetMs;
  }

  #select(node: Selector): readonly Series[] {
    const { found, examined } = this.#store.select(node.matchers);
    this.#step(examined / 4);
    return found;
  }

  /** A query may be all steps and no samples: `vector(1)` in a subquery in a subquery. */
  #step(count: number): void {
    this.#steps += count;
    if (this.#steps > maxSteps) throw queryFailed(`The query takes over ${maxSteps} steps: narrow it`);
  }

  #count(samples: number): void {
    this.#touched += samples;
    if (this.#touched > maxSamples) throw queryFailed(`The query touches over ${maxSamples} samples: narrow it`);
  }
}

function scalarOf(value: Value): number {
  return value.type === "scalar" ? value.value : Number.NaN;
}

function addPoint(found: Map<string, { labels: Labels; points: Point[] }>, sample: VectorSample, timeMs: number): void {
  const key = JSON.stringify(sample.labels);
  const series = found.get(key) ?? { labels: sample.labels, points: [] };
  series.points.push({ timeMs, value: sample.value });
  found.set(key, series);
}

function mapValue(value: Value, change: (number: number) => number): Value {
  if (value.type === "scalar") return { type: "scalar", value: change(value.value) };
  if (value.type === "vector") return { type: "vector", samples: mapSamples(value.samples, change) };
  return value;
}

/** A changed value is another metric: the name goes. */
function mapSamples(samples: readonly VectorSample[], change: (value: number) => number): VectorSample[] {
  return samples.map(({ labels, value }) => ({ labels: withoutLabels(labels, metricName), value: change(value) }));
}

/** `absent` answers with the labels that the selector asked for by equality. */
function absentSample(node: Expression | undefined): VectorSample {
  const selector = node?.kind === "matrix" ? node.selector : node;
  if (selector?.kind !== "selector") return { labels: {}, value: 1 };
  const wanted = selector.matchers.filter((matcher) => matcher.operator === "=" && matcher.name !== "__name__");
  const labels = Object.fromEntries(wanted.map((matcher) => [matcher.name, matcher.value]));
  return { labels, value: 1 };
}
