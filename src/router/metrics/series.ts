/** Counters of one revision of one Service. Plain numbers in fixed places: counting a request allocates nothing. */

/** Seconds. Chosen so that a p99 of a web service between 1 ms and 30 s falls between two near bounds. */
export const durationBounds: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

export class Series {
  readonly namespace: string;
  readonly service: string;
  readonly revision: string;
  readonly codes = new Map<number, number>();
  /** One more than there are bounds: the last is +Inf. Not cumulative. */
  readonly buckets: number[] = Array.from({ length: durationBounds.length + 1 }, () => 0);
  durationSum = 0;
  inFlight = 0;
  retries = 0;
  ejections = 0;

  constructor(namespace: string, service: string, revision: string) {
    this.namespace = namespace;
    this.service = service;
    this.revision = revision;
  }

  count(code: number, seconds: number): void {
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    let bucket = 0;
    while (bucket < durationBounds.length && seconds > (durationBounds[bucket] ?? 0)) bucket++;
    this.buckets[bucket] = (this.buckets[bucket] ?? 0) + 1;
    this.durationSum += seconds;
  }
}

export class SeriesStore {
  readonly #byService = new Map<string, Map<string, Series>>();

  /** The counters of a revision; "" for requests that no endpoint answered. */
  of(namespace: string, service: string, revision: string): Series {
    const key = `${namespace}/${service}`;
    let revisions = this.#byService.get(key);
    if (revisions === undefined) this.#byService.set(key, (revisions = new Map<string, Series>()));
    let series = revisions.get(revision);
    if (series === undefined) revisions.set(revision, (series = new Series(namespace, service, revision)));
    return series;
  }

  all(): readonly Series[] {
    return [...this.#byService.values()].flatMap((revisions) => [...revisions.values()]);
  }

  /**
   * Drops the oldest revisions of a service beyond `keep`, so that years of releases do not pile up. Those that have
   * requests in flight stay.
   */
  prune(keep: number): void {
    for (const revisions of this.#byService.values()) {
      let surplus = revisions.size - keep;
      for (const [revision, series] of revisions) {
        if (surplus <= 0) break;
        if (series.inFlight > 0 || revision === "") continue;
        revisions.delete(revision);
        surplus--;
      }
    }
  }
}
