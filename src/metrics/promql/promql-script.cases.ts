/**
 * A small language for tests, after promqltest's idea: a test reads as PromQL.
 *
 *     load 10s
 *       requests{code="200"} 0+10x6          # 0 10 20 … 60
 *       errors 0 0 _ 3                       # _ : no sample
 *     eval instant at 60s sum(rate(requests[1m]))
 *       {} 1
 *     eval fail at 0s sum(
 */
import { labelsKey } from "../labels.ts";
import { parseExposition } from "../exposition/parse.ts";
import { SeriesStore } from "../store/series-store.ts";
import { durationMs } from "./literals.ts";
import { queryInstant } from "./query.ts";

export interface ScriptCase {
  readonly query: string;
  readonly timeMs: number;
  readonly fails: boolean;
  /** Label set (canonical) to value, as text. */
  readonly want: ReadonlyMap<string, number>;
}

/** The store after all `load`s, and the cases. */
export function readScript(text: string): { store: SeriesStore; cases: ScriptCase[] } {
  const store = new SeriesStore({ retentionMs: Number.POSITIVE_INFINITY });
  const cases: (ScriptCase & { want: Map<string, number> })[] = [];
  let stepMs: number | undefined;
  for (const raw of text.split("\n")) {
    const line = raw.replace(/\s+#.*$/, "").trim();
    if (line === "" || line.startsWith("#")) continue;
    const load = /^load (\S+)$/.exec(line)?.[1];
    const evaluation = /^eval (instant|fail) at (\S+) (.+)$/.exec(line);
    if (load !== undefined) stepMs = durationMs(load) ?? 0;
    else if (evaluation !== null) {
      stepMs = undefined;
      const [, kind, time = "0s", query = ""] = evaluation;
      cases.push({ query, timeMs: durationMs(time) ?? 0, fails: kind === "fail", want: new Map() });
    } else if (stepMs !== undefined) loadSeries(store, line, stepMs);
    else addExpectation(cases.at(-1)?.want, line);
  }
  return { store, cases };
}

/** What the query gives, in the form of `ScriptCase.want`. */
export function runCase(store: SeriesStore, query: string, timeMs: number): Map<string, number> {
  const value = queryInstant(store, query, timeMs);
  if (value.type === "scalar") return new Map([["scalar", value.value]]);
  if (value.type !== "vector") throw new Error(`Cannot compare a ${value.type}`);
  return new Map(value.samples.map((sample) => [labelsKey(sample.labels), sample.value]));
}

function loadSeries(store: SeriesStore, line: string, stepMs: number): void {
  const [, series = "", values = ""] = /^(\S*?(?:\{[^}]*\})?)\s+(.+)$/.exec(line) ?? [];
  const labels = parseExposition(`${series} 0`).samples[0]?.labels ?? {};
  expand(values).forEach((value, index) => {
    if (value !== undefined) store.append({ timeMs: index * stepMs, samples: [{ labels, value }] });
  });
}

/** `1+2x3` is 1 3 5 7; `5x2` is 5 5 5; `_` no sample. */
function expand(text: string): (number | undefined)[] {
  return text.split(/\s+/).flatMap((part) => {
    if (part === "_") return [undefined];
    const match = /^(-?[\d.]+)(?:([+-][\d.]+))?x(\d+)$/.exec(part);
    if (match === null) return [Number(part)];
    const [, start, step = "0", times] = match;
    return Array.from({ length: Number(times) + 1 }, (_v, index) => Number(start) + Number(step) * index);
  });
}

function addExpectation(want: Map<string, number> | undefined, line: string): void {
  const scalar = /^(-?[\d.e+]+|NaN|[+-]?Inf)$/.exec(line)?.[1];
  if (scalar !== undefined) {
    want?.set("scalar", Number(scalar.replace("Inf", "Infinity")));
    return;
  }
  const [, series = "", value = ""] = /^(.*?(?:\{[^}]*\})?)\s+(\S+)$/.exec(line) ?? [];
  const named = series.startsWith("{") ? `x${series}` : series;
  const { __name__: name, ...labels } = parseExposition(`${named} 0`).samples[0]?.labels ?? {};
  const full = series.startsWith("{") ? labels : { ...labels, __name__: name ?? "" };
  want?.set(labelsKey(full), Number(value.replace("Inf", "Infinity")));
}
