/** Sets of completion indexes as `1,3-5`, upstream's form in a job's status: pure, and small however large the job is. */

type Interval = readonly [first: number, last: number];

export class IndexSet {
  static readonly empty = new IndexSet([]);
  /** In order, apart by at least one. */
  readonly #intervals: readonly Interval[];

  private constructor(intervals: readonly Interval[]) {
    this.#intervals = intervals;
  }

  /** What is no interval is passed over, and what is beyond `completions` cut off, as upstream does. */
  static parse(text: string | undefined, completions: number): IndexSet {
    const intervals: Interval[] = [];
    for (const part of (text ?? "").split(",")) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
      const first = Number(match?.[1]);
      if (match === null || first >= completions) continue;
      intervals.push([first, Math.min(Number(match[2] ?? first), completions - 1)]);
    }
    return new IndexSet(joined(intervals));
  }

  static of(indexes: Iterable<number>): IndexSet {
    return new IndexSet(joined([...indexes].map((index): Interval => [index, index])));
  }

  get total(): number {
    return this.#intervals.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  }

  has(index: number): boolean {
    return this.#intervals.some(([first, last]) => first <= index && index <= last);
  }

  union(other: IndexSet): IndexSet {
    return new IndexSet(joined([...this.#intervals, ...other.#intervals]));
  }

  /** How many indexes both have. */
  overlap(other: IndexSet): number {
    return this.total + other.total - this.union(other).total;
  }

  /** The first `count` indexes below `completions` that are not in it. */
  firstMissing(count: number, completions: number): number[] {
    const missing: number[] = [];
    let candidate = 0;
    for (const [first, last] of [...this.#intervals, [completions, completions] as const]) {
      while (candidate < Math.min(first, completions) && missing.length < count) missing.push(candidate++);
      candidate = Math.max(candidate, last + 1);
    }
    return missing;
  }

  /** Two neighbours are `1,2`; three are `1-3`. */
  toString(): string {
    return this.#intervals
      .map(([first, last]) => (first === last ? `${first}` : `${first}${last === first + 1 ? "," : "-"}${last}`))
      .join(",");
  }
}

function joined(intervals: readonly Interval[]): Interval[] {
  const result: [number, number][] = [];
  for (const [first, last] of intervals.toSorted((a, b) => a[0] - b[0])) {
    const before = result.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else if (first <= last) result.push([first, last]);
  }
  return result;
}
