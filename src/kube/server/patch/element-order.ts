/** The order of a merged list when the patch says how its own elements are to stand. */
export interface OrderInput {
  readonly merged: readonly unknown[];
  /** The list before the patch. */
  readonly live: readonly unknown[];
  /** Elements, or their merge keys only, in the order wanted. */
  readonly order: readonly unknown[];
  readonly identity: (item: unknown) => string;
}

/**
 * Elements the patch names stand in its order; the others keep their order among themselves and are put before the
 * first named element that came after them in the live list.
 *
 * live [a, x, b], order [a, b] → [a, x, b]; order [b, a] → [x, b, a], since b is the first that came after x.
 */
export function orderElements({ merged, live, order, identity }: OrderInput): unknown[] {
  const wanted = order.map(identity);
  const named = new Set(wanted);
  const liveIndex = new Map(live.map((item, index) => [identity(item), index]));
  const result = merged
    .filter((item) => named.has(identity(item)))
    .sort((a, b) => wanted.indexOf(identity(a)) - wanted.indexOf(identity(b)));
  let from = 0;
  for (const item of merged.filter((other) => !named.has(identity(other)))) {
    const own = liveIndex.get(identity(item)) ?? Number.POSITIVE_INFINITY;
    let at = from;
    while (at < result.length && (liveIndex.get(identity(result[at])) ?? -1) <= own) at += 1;
    result.splice(at, 0, item);
    from = at + 1;
  }
  return result;
}
