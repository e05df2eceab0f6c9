/** Concurrency groups: of the runs that share one, one is active and, by default, the newest waits. */

export interface GroupRun {
  readonly id: string;
  readonly state: "pending" | "active";
  readonly cancelRequested: boolean;
  readonly cancelInProgress: boolean;
  readonly queue: "single" | "max";
}

export type GroupAction =
  | { readonly kind: "start"; readonly runId: string }
  /** A newer run of the group takes its place. */
  | { readonly kind: "cancel"; readonly runId: string };

/** GitHub keeps at most this many runs waiting with `queue: max`. */
const maxPending = 100;

/** `runs` are all runs of the group that are not completed, oldest first. */
export function planGroup(runs: readonly GroupRun[]): readonly GroupAction[] {
  const pending = runs.filter((run) => run.state === "pending");
  const active = runs.filter((run) => run.state === "active");
  const newest = pending.at(-1);
  if (newest === undefined) return [];
  // With nobody active the first may begin, unless the newest would at once take its place.
  const first = active.length > 0 ? undefined : newest.cancelInProgress ? newest : pending[0];
  const waiting = pending.filter((run) => run !== first);
  const kept = first === newest ? [] : waiting.slice(newest.queue === "max" ? -maxPending : -1);
  const replaced = waiting.filter((run) => !kept.includes(run));
  const cancelled = newest.cancelInProgress ? active.filter((run) => !run.cancelRequested) : [];
  const actions = [...replaced, ...cancelled].map((run): GroupAction => ({ kind: "cancel", runId: run.id }));
  if (first !== undefined) actions.push({ kind: "start", runId: first.id });
  return actions;
}
