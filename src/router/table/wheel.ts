/**
 * Smooth weighted round robin, precomputed. A wheel for 90/10 has ten places (9:1 after the common divisor): one turn
 * gives exactly nine and one, spread as evenly as whole requests allow, so 2,000 requests are exactly 1,800 and 200.
 */
export interface Share {
  readonly key: string;
  /** A positive integer. */
  readonly weight: number;
}

export interface Wheel {
  readonly shares: readonly Share[];
  readonly total: number;
  /** Index into `shares` for each place. */
  readonly places: readonly number[];
}

/** Where a wheel stands. */
export interface WheelState {
  readonly wheel: Wheel;
  /** The next place to be used. */
  position: number;
  /** What each share was owed (in requests, positive: too few so far) when the wheel was mounted, beyond its position. */
  readonly carried: ReadonlyMap<string, number>;
}

/** Beyond this, weights are rounded: a wheel of 10,000 places still honours hundredths of a percent. */
const maxPlaces = 10_000;

export function buildWheel(shares: readonly Share[]): Wheel {
  const reduced = reduce(shares);
  const total = reduced.reduce((sum, share) => sum + share.weight, 0);
  const current = reduced.map(() => 0);
  const places: number[] = [];
  for (let place = 0; place < total; place++) places.push(takeNext(reduced, current, total));
  return { shares: reduced, total, places };
}

/** One step of smooth weighted round robin: everyone earns their weight, the richest pays the total and is taken. */
function takeNext(shares: readonly Share[], current: number[], total: number): number {
  let best = 0;
  shares.forEach((share, index) => {
    const earned = (current[index] ?? 0) + share.weight;
    current[index] = earned;
    if (earned > (current[best] ?? 0)) best = index;
  });
  current[best] = (current[best] ?? 0) - total;
  return best;
}

function reduce(shares: readonly Share[]): readonly Share[] {
  const sum = shares.reduce((total, share) => total + share.weight, 0);
  const scale = sum > maxPlaces ? maxPlaces / sum : 1;
  const scaled = shares.map(({ key, weight }) => ({ key, weight: Math.max(1, Math.round(weight * scale)) }));
  const divisor = scaled.reduce((common, share) => greatestCommonDivisor(common, share.weight), 0);
  return scaled.map(({ key, weight }) => ({ key, weight: weight / Math.max(divisor, 1) }));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Takes the next place; the key's index in `wheel.shares`, or -1 for an empty wheel. */
export function turn(state: WheelState): number {
  const { places } = state.wheel;
  const taken = places[state.position];
  if (taken === undefined) return -1;
  state.position = state.position + 1 === places.length ? 0 : state.position + 1;
  return taken;
}

/**
 * Puts `wheel` in the place of the old one. What each share is still owed goes over: the new wheel starts at the place
 * whose debts are nearest to the old ones, and the rest is remembered for the swap after. Without this, a table swapped
 * at every request would start each wheel anew and give the small share nothing.
 */
export function mountWheel(wheel: Wheel, old: WheelState | undefined): WheelState {
  if (old === undefined) return { wheel, position: 0, carried: new Map() };
  if (sameShares(wheel, old.wheel)) return { wheel, position: old.position, carried: old.carried };
  const owed = debts(old);
  const wanted = wheel.shares.map((share) => owed.get(share.key) ?? 0);
  const { position, debt } = nearestPlace(wheel, wanted);
  const carried = new Map(
    wheel.shares.map((share, index) => [share.key, atMostOne((wanted[index] ?? 0) - (debt[index] ?? 0))]),
  );
  return { wheel, position, carried };
}

/** A debt of more than one request stems from shares that are gone; it is forgiven. */
function atMostOne(debt: number): number {
  return Math.min(1, Math.max(-1, debt));
}

function sameShares(a: Wheel, b: Wheel): boolean {
  return (
    a.shares.length === b.shares.length &&
    a.shares.every((share, index) => share.key === b.shares[index]?.key && share.weight === b.shares[index].weight)
  );
}

/** Requests each share is owed: entitled minus received since the start of the turn, plus what was carried over. */
function debts(state: WheelState): ReadonlyMap<string, number> {
  const received = state.wheel.shares.map(() => 0);
  for (const taken of state.wheel.places.slice(0, state.position)) received[taken] = (received[taken] ?? 0) + 1;
  return new Map(
    state.wheel.shares.map((share, index) => {
      const entitled = (state.position * share.weight) / state.wheel.total;
      return [share.key, entitled - (received[index] ?? 0) + (state.carried.get(share.key) ?? 0)];
    }),
  );
}

function nearestPlace(wheel: Wheel, wanted: readonly number[]): { position: number; debt: readonly number[] } {
  const received = wheel.shares.map(() => 0);
  let best = { position: 0, debt: wheel.shares.map(() => 0), distance: Number.POSITIVE_INFINITY };
  wheel.places.forEach((taken, position) => {
    const debt = wheel.shares.map((share, i) => (position * share.weight) / wheel.total - (received[i] ?? 0));
    const distance = debt.reduce((sum, value, i) => sum + (value - (wanted[i] ?? 0)) ** 2, 0);
    if (distance < best.distance - 1e-12) best = { position, debt, distance };
    received[taken] = (received[taken] ?? 0) + 1;
  });
  return best;
}
