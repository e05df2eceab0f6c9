/** What is thrown away. Pure: time is an input. */

export interface KeptCache {
  readonly id: number;
  readonly repository: string;
  readonly size: number;
  readonly state: "reserved" | "ready";
  readonly createdAt: number;
  readonly usedAt: number;
}

export interface CacheLimits {
  /** Of all entries of one repository together. */
  readonly repositoryBytes: number;
  /** An entry that nobody has asked for this long goes. */
  readonly unusedMs: number;
  /** A reservation whose upload never ended. */
  readonly reservedMs: number;
}

/** Ids, those that have been of no use for longest first. */
export function planCacheEviction(
  entries: readonly KeptCache[],
  limits: CacheLimits,
  nowMs: number,
): readonly number[] {
  const expired = entries.filter((entry) =>
    entry.state === "reserved" ? nowMs - entry.createdAt > limits.reservedMs : nowMs - entry.usedAt > limits.unusedMs,
  );
  const gone = new Set(expired.map((entry) => entry.id));
  const kept = Map.groupBy(
    entries.filter((entry) => entry.state === "ready" && !gone.has(entry.id)),
    (entry) => entry.repository,
  );
  for (const own of kept.values()) {
    let bytes = own.reduce((sum, entry) => sum + entry.size, 0);
    for (const entry of own.toSorted((a, b) => a.usedAt - b.usedAt || a.id - b.id)) {
      if (bytes <= limits.repositoryBytes) break;
      bytes -= entry.size;
      gone.add(entry.id);
    }
  }
  return [...gone];
}
