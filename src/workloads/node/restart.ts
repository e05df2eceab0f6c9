/**
 * When an ended container runs again: pure. Upstream's back-off: the first restart at once, then after 10 s, 20 s, 40 s …
 * at most 5 min; a run of 10 minutes starts it over. The streak stands in each attempt's labels, so it survives us.
 */
import type { PodSpec } from "#api";
import type { ContainerRecord } from "../ports.ts";

export const streakLabel = "restart-streak";
const initialMs = 10_000;
const maxMs = 300_000;
const resetAfterMs = 600_000;

export interface Restart {
  readonly atMs: number;
  /** The back-off before it; 0 for the first restart. */
  readonly delayMs: number;
  /** For the next attempt's label. */
  readonly streak: number;
}

/** Undefined when the policy lets it rest. */
export function restartOf(record: ContainerRecord, policy: PodSpec["restartPolicy"]): Restart | undefined {
  if (record.state.kind !== "exited") return undefined;
  if (policy === "Never" || (policy === "OnFailure" && record.state.exitCode === 0)) return undefined;
  const { startedAt, finishedAt } = record.state;
  const ranMs = finishedAt.epochMilliseconds - startedAt.epochMilliseconds;
  const streak = ranMs >= resetAfterMs ? 0 : Number(record.labels[streakLabel] ?? 0);
  const delayMs = backOffMs(streak);
  return { atMs: finishedAt.epochMilliseconds + delayMs, delayMs, streak: streak + 1 };
}

/** 0, 10 s, 20 s, 40 s, 80 s, 160 s, 300 s, 300 s, … */
export function backOffMs(streak: number): number {
  return streak <= 0 ? 0 : Math.min(maxMs, initialMs * 2 ** (streak - 1));
}
