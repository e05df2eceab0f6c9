/** The room's one object: the store with its journal, the scraper over it, and queries. */
import { type Clock, type Log } from "#lib";
import { queryInstant, queryRange } from "./promql/query.ts";
import type { RangeSeries, Value } from "./promql/values.ts";
import type { ScrapeTargetsPort } from "./ports.ts";
import { runScraper } from "./scraper.ts";
import { Journal } from "./store/journal.ts";
import { type Batch, SeriesStore } from "./store/series-store.ts";

export interface MetricsOptions {
  readonly folder: string;
  readonly targets: ScrapeTargetsPort;
  /** Default 1 s: an analysis a few seconds long must see something. */
  readonly scrapeIntervalMs?: number;
  /** Default 2 h. */
  readonly retentionMs?: number;
  readonly clock: Clock;
  readonly log: Log;
}

const defaultRetentionMs = 2 * 3_600_000;
const expiryIntervalMs = 60_000;
/** A rate needs two samples. */
const roundsToSee = 2;

export class Metrics implements AsyncDisposable {
  readonly store: SeriesStore;
  readonly #options: MetricsOptions;
  readonly #journal: Journal;
  readonly #sees = Promise.withResolvers<void>();
  #rounds = 0;

  private constructor(options: MetricsOptions, store: SeriesStore, journal: Journal) {
    this.#options = options;
    this.store = store;
    this.#journal = journal;
  }

  static async open(options: MetricsOptions): Promise<Metrics> {
    const retentionMs = options.retentionMs ?? defaultRetentionMs;
    const store = new SeriesStore({ retentionMs });
    const nowMs = options.clock.now().epochMilliseconds;
    const journal = await Journal.open({ folder: options.folder, retentionMs, log: options.log }, store, nowMs);
    return new Metrics(options, store, journal);
  }

  append(batch: Batch): void {
    this.store.append(batch);
    this.#journal.append(batch);
  }

  /** @throws PromqlError */
  query(query: string, time: Temporal.Instant): Value {
    return queryInstant(this.store, query, time.epochMilliseconds);
  }

  /** @throws PromqlError */
  queryRange(query: string, startMs: number, endMs: number, stepMs: number): RangeSeries[] {
    return queryRange(this.store, query, { startMs, endMs, stepMs });
  }

  /** Scrapes and expires until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log, targets } = this.#options;
    const intervalMs = this.#options.scrapeIntervalMs ?? 1000;
    const append = (batch: Batch): void => this.append(batch);
    const onRound = (): void => {
      if (++this.#rounds === roundsToSee) this.#sees.resolve();
    };
    await Promise.all([runScraper({ targets, append, onRound, intervalMs, clock, log }, signal), this.#expire(signal)]);
  }

  /**
   * Resolves when the present can be judged: every target has been read twice since the start. Before, a query over the
   * last seconds may find nothing but the gap that an outage left. Rejects when the signal aborts.
   */
  async seeing(signal: AbortSignal): Promise<void> {
    if (this.#rounds >= roundsToSee) return;
    signal.throwIfAborted();
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    try {
      await Promise.race([this.#sees.promise, aborted.promise]);
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#journal[Symbol.asyncDispose]();
  }

  async #expire(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(expiryIntervalMs, signal).catch(() => {});
      if (signal.aborted) return;
      const nowMs = this.#options.clock.now().epochMilliseconds;
      this.store.expire(nowMs);
      try {
        await this.#journal.expire(nowMs);
      } catch (error) {
        // The store must go on being expired: it is what grows in memory.
        this.#options.log.warn("Cannot delete old parts of the metrics journal", { error });
      }
    }
  }
}
