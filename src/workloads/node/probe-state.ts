/**
 * When to probe and what the results come to: pure.
 *
 * Upstream's rules: not before `initialDelaySeconds`, every `periodSeconds`; `successThreshold` successes in a row make it
 * true, `failureThreshold` failures in a row false.
 *
 * One addition. Until a readiness or startup probe has succeeded once, we also look between the ticks, every `eagerMs`,
 * and count only successes there: a pod is then ready within about 100 ms of listening, where waiting for the next tick
 * would cost half a period (5 s by default) of every rollout step. Failures count at the ticks alone, so that
 * `failureThreshold × periodSeconds` means the same span as upstream.
 */
import type { Probe } from "#api";

export type ProbeKind = "startup" | "readiness" | "liveness";

export interface ProbeState {
  /** Undefined until a threshold was reached. */
  readonly verdict: boolean | undefined;
  readonly successes: number;
  readonly failures: number;
  readonly succeededOnce: boolean;
  /** The next attempt. */
  readonly nextAtMs: number;
  /** From here on an attempt is a regular one. */
  readonly tickAtMs: number;
}

/**
 * The first regular attempt comes one period after the start (or after a longer initial delay): kubelet's falls anywhere
 * within the first period, so a slow start is never punished sooner here than there.
 *
 * @param known what the pod's status said before we came back, so that a restart of ours changes nothing
 */
export function initialProbe(kind: ProbeKind, probe: Probe, startedAtMs: number, known: boolean): ProbeState {
  const delayMs = (probe.initialDelaySeconds ?? 0) * 1000;
  const tickAtMs = startedAtMs + Math.max(delayMs, (probe.periodSeconds ?? 10) * 1000);
  return {
    verdict: known ? true : undefined,
    successes: 0,
    failures: 0,
    succeededOnce: known,
    nextAtMs: kind === "liveness" ? tickAtMs : startedAtMs + delayMs,
    tickAtMs,
  };
}

export function recordProbe(
  kind: ProbeKind,
  probe: Probe,
  state: ProbeState,
  result: { readonly ok: boolean; readonly atMs: number },
): ProbeState {
  const { ok, atMs } = result;
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  const regular = isRegular(state, atMs);
  // After a long sleep of the machine the missed ticks are not made up for.
  const tickAtMs = regular ? Math.max(state.tickAtMs + periodMs, atMs + periodMs / 2) : state.tickAtMs;
  const counted = ok || regular;
  const successes = ok ? state.successes + 1 : 0;
  const failures = ok ? 0 : state.failures + (counted ? 1 : 0);
  const succeededOnce = state.succeededOnce || ok;
  let verdict = state.verdict;
  if (successes >= (probe.successThreshold ?? 1)) verdict = true;
  else if (failures >= (probe.failureThreshold ?? 3)) verdict = false;
  const eager = !succeededOnce && kind !== "liveness" ? atMs + eagerMs(probe) : Infinity;
  return { verdict, successes, failures, succeededOnce, nextAtMs: Math.min(tickAtMs, eager), tickAtMs };
}

/** Whether an attempt now is one of upstream's, whose failure counts and is told as an event. */
export function isRegular(state: ProbeState, atMs: number): boolean {
  return atMs >= state.tickAtMs;
}

/** A process for every look is too dear to do ten times a second. */
function eagerMs(probe: Probe): number {
  return probe.exec === undefined ? 100 : 1000;
}
