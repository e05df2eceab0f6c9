/** All series in memory, with an index by metric name. `journal.ts` brings them back after a restart. */
import { type Labels, labelsKey, matchesAll, type Matcher } from "../labels.ts";
import { SampleSeries } from "./sample-series.ts";

export interface Series {
  readonly labels: Labels;
  readonly samples: SampleSeries;
}

/** One scrape's worth: every sample has the same time unless the target gave its own. */
export interface Batch {
  readonly timeMs: number;
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
  /** Series that were there at the scrape before and are not any more. */
  readonly ended?: readonly Labels[];
}

export interface SeriesStoreOptions {
  readonly retentionMs: number;
  /** More series than this are refused: a label with endless values must not take the process down. */
  readonly maxSeries?: number;
}

export class SeriesStore {
  readonly #options: SeriesStoreOptions;
  readonly #series = new Map<string, Series>();
  readonly #byName = new Map<string, Set<Series>>();
  #refused = 0;

  constructor(options: SeriesStoreOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#series.size;
  }

  /** Samples refused because there were too many series. */
  get refused(): number {
    return this.#refused;
  }

  append(batch: Batch): void {
    for (const { labels, value } of batch.samples) {
      const series = this.#seriesFor(labels);
      if (series === undefined) this.#refused += 1;
      else series.samples.append(batch.timeMs, value);
    }
    for (const labels of batch.ended ?? []) {
      this.#series.get(labelsKey(labels))?.samples.append(batch.timeMs, Number.NaN, true);
    }
  }

  /** Series whose labels satisfy all matchers, and how many were looked at for that. */
  select(matchers: readonly Matcher[]): { readonly found: readonly Series[]; readonly examined: number } {
    const name = matchers.find((matcher) => matcher.name === "__name__" && matcher.operator === "=");
    const candidates = [...(name === undefined ? this.#series.values() : (this.#byName.get(name.value) ?? []))];
    return { found: candidates.filter((series) => matchesAll(series.labels, matchers)), examined: candidates.length };
  }

  all(): IterableIterator<Series> {
    return this.#series.values();
  }

  /** Forgets samples older than the retention, and series that have none left. */
  expire(nowMs: number): void {
    for (const [key, series] of this.#series) {
      series.samples.dropBefore(nowMs - this.#options.retentionMs);
      if (series.samples.length > 0) continue;
      this.#series.delete(key);
      const sameName = this.#byName.get(series.labels["__name__"] ?? "");
      sameName?.delete(series);
      if (sameName?.size === 0) this.#byName.delete(series.labels["__name__"] ?? "");
    }
  }

  #seriesFor(labels: Labels): Series | undefined {
    const key = labelsKey(labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= (this.#options.maxSeries ?? 500_000)) return undefined;
    const series: Series = { labels, samples: new SampleSeries() };
    this.#series.set(key, series);
    const name = labels["__name__"] ?? "";
    const sameName = this.#byName.get(name);
    if (sameName === undefined) this.#byName.set(name, new Set([series]));
    else sameName.add(series);
    return series;
  }
}
