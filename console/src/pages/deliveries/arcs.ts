/** Who caused whom, as lines beside a list of events. Pure. */
import type { RecordedEvent } from "#api";

export interface Arc {
  /** Rows, counted from 0; a cause may stand below its effect when it was recorded later. */
  readonly from: number;
  readonly to: number;
  /** How far the line leaves the rail: 0 for neighbours, then 1 for the nearest free lane, and so on. */
  readonly lane: number;
}

/** Lanes do not cross rows of another line in the same lane; short lines get the inner ones. */
export function arcsOf(events: readonly Pick<RecordedEvent, "id" | "causes">[], lanes: number): Arc[] {
  const rowOf = new Map(events.map(({ id }, row) => [id, row]));
  const pairs = events.flatMap(({ causes }, to) =>
    causes.flatMap((cause) => {
      const from = rowOf.get(cause);
      return from === undefined || from === to ? [] : [{ from, to }];
    }),
  );
  pairs.sort((a, b) => Math.abs(a.to - a.from) - Math.abs(b.to - b.from) || a.from - b.from);
  const taken: Taken[] = [];
  return pairs.map(({ from, to }) => {
    const top = Math.min(from, to);
    const bottom = Math.max(from, to);
    if (bottom - top === 1) return { from, to, lane: 0 };
    // Lines from one cause share a lane: together they read as one line with several ends.
    const shared = taken.find((other) => other.top === top && from === top && other.lane > 0);
    const lane = shared?.lane ?? freeLane(taken, top, bottom, lanes);
    taken.push({ top, bottom, lane });
    return { from, to, lane };
  });
}

interface Taken {
  readonly top: number;
  readonly bottom: number;
  readonly lane: number;
}

/** The outermost lane takes what has no room. */
function freeLane(taken: readonly Taken[], top: number, bottom: number, lanes: number): number {
  for (let lane = 1; lane < lanes; lane++) {
    if (!taken.some((other) => other.lane === lane && other.top < bottom && top < other.bottom)) return lane;
  }
  return lanes;
}
