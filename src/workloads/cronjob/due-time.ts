/** Which run of a CronJob is due, and how many were missed: pure, upstream's rule. */
import type { Schedule } from "./schedule.ts";

export interface Due {
  /** The latest time that has come since `sinceMs`; undefined when none has. */
  readonly atMs: number | undefined;
  /** More than a hundred were missed, by the distance of the first two. */
  readonly many: boolean;
}

const manyMissed = 100;

export function dueTime(schedule: Schedule, sinceMs: number, nowMs: number): Due {
  const first = schedule.next(sinceMs);
  if (first === undefined || first > nowMs) return { atMs: undefined, many: false };
  const second = schedule.next(first);
  if (second === undefined || second > nowMs) return { atMs: first, many: false };
  const distance = second - first;
  const missed = Math.floor((nowMs - first) / distance) + 1;
  // Times are not all as far apart as the first two: look back ever further until one is found.
  for (let back = 2; ; back *= 2) {
    const fromMs = Math.max(first - 1, first + (missed - back) * distance - 1);
    const latest = latestUntil(schedule, fromMs, nowMs);
    if (latest !== undefined || fromMs === first - 1) return { atMs: latest, many: missed > manyMissed };
  }
}

function latestUntil(schedule: Schedule, fromMs: number, nowMs: number): number | undefined {
  let latest: number | undefined;
  for (let time = schedule.next(fromMs); time !== undefined && time <= nowMs; time = schedule.next(time)) latest = time;
  return latest;
}
