/** Which pods an autoscaler may take at their word: pure, upstream's rules. */
import type { Pod } from "#api";
import type { PodReading } from "./readings.ts";

/** After the start of a pod its processor time says little: only what was measured while it was ready counts. */
const cpuInitializationMs = 300_000;
/** A pod that was never ready is unready; its first condition comes within this time. */
const initialReadinessMs = 30_000;

export interface PodGroups {
  readonly ready: number;
  /** Counts as using nothing when more are wanted. */
  readonly unready: ReadonlySet<string>;
  /** Nothing was measured. */
  readonly missing: ReadonlySet<string>;
  /** On their way out, or failed. */
  readonly ignored: ReadonlySet<string>;
}

export function groupPods(
  pods: readonly Pod[],
  readings: ReadonlyMap<string, PodReading>,
  resource: string,
  nowMs: number,
): PodGroups {
  const unready = new Set<string>();
  const missing = new Set<string>();
  const ignored = new Set<string>();
  let ready = 0;
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const reading = readings.get(name);
    if (deletionTimestamp !== undefined || pod.status?.phase === "Failed") ignored.add(name);
    else if ((pod.status?.phase ?? "Pending") === "Pending") unready.add(name);
    else if (reading === undefined) missing.add(name);
    else if (resource === "cpu" && isUnready(pod, reading, nowMs)) unready.add(name);
    else ready += 1;
  }
  return { ready, unready, missing, ignored };
}

function isUnready(pod: Pod, reading: PodReading, nowMs: number): boolean {
  const condition = pod.status?.conditions?.find(({ type }) => type === "Ready");
  const { startTime } = pod.status ?? {};
  if (condition === undefined || startTime === undefined) return true;
  const startedMs = Temporal.Instant.from(startTime).epochMilliseconds;
  const changedMs = Temporal.Instant.from(condition.lastTransitionTime ?? startTime).epochMilliseconds;
  const isFalse = condition.status === "False";
  if (startedMs + cpuInitializationMs > nowMs) return isFalse || reading.atMs < changedMs + reading.windowMs;
  return isFalse && startedMs + initialReadinessMs > changedMs;
}
