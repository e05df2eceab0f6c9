/** What a sync has to do, in order: applies, prunes and hooks, each with its phase and wave. Pure. */
import type { AnyObject, SyncOperationResource, SyncPhase } from "#api";
import { keyText, type ObjectKey } from "../object-key.ts";
import { hookOf, waveOf, type Hook } from "./hooks.ts";
import { kindRank } from "./kind-order.ts";
import { hasOption, type SyncOptions } from "./sync-options.ts";

export interface SyncTask {
  readonly key: ObjectKey;
  readonly phase: SyncPhase;
  readonly wave: number;
  readonly hook?: Hook;
  /** Absent: the live object is to go. */
  readonly target?: AnyObject;
  readonly live?: AnyObject;
}

/** A target, a live object, or both; what the comparison gives. */
interface SyncCandidate {
  readonly key: ObjectKey;
  readonly target?: AnyObject;
  readonly live?: AnyObject;
  readonly synced: boolean;
}

export interface TaskInput {
  readonly candidates: readonly SyncCandidate[];
  /** Targets that are hooks, with their live objects. */
  readonly hooks: readonly Omit<SyncCandidate, "synced">[];
  readonly options: SyncOptions;
  /** Only these; then no hook runs. */
  readonly resources: readonly SyncOperationResource[] | undefined;
  /** False for strategy `apply`. */
  readonly runHooks: boolean;
  /** `keyText` of what this sync has applied already: it stays in the plan although it is in sync by now. */
  readonly begun: ReadonlySet<string>;
}

const phaseOrder: readonly SyncPhase[] = ["PreSync", "Sync", "PostSync", "SyncFail"];

/** In the order of execution. */
export function planTasks(input: TaskInput): SyncTask[] {
  const chosen = input.candidates.filter((candidate) => isChosen(candidate, input));
  const applies = chosen.filter(({ target }) => target !== undefined).map(toTask);
  const prunes = pruneTasks(chosen, applies, input.options);
  return [...applies, ...prunes, ...hookTasks(input)].sort(compareTasks);
}

function isChosen(candidate: SyncCandidate, { resources, options, begun }: TaskInput): boolean {
  if (begun.has(keyText(candidate.key))) return true;
  if (resources !== undefined && !resources.some((resource) => names(resource, candidate.key))) return false;
  return !(candidate.synced && hasOption(options, candidate.target, "ApplyOutOfSyncOnly"));
}

function names(resource: SyncOperationResource, key: ObjectKey): boolean {
  return (
    (resource.group ?? "") === key.group &&
    resource.kind === key.kind &&
    resource.name === key.name &&
    (!resource.namespace || resource.namespace === key.namespace)
  );
}

function toTask({ key, target, live }: SyncCandidate): SyncTask {
  const wave = target === undefined ? 0 : waveOf(target);
  return { key, phase: "Sync", wave, ...(target && { target }), ...(live && { live }) };
}

/** The waves of prunes are mirrored, so that what came last goes first; `PruneLast` waits for everything else. */
function pruneTasks(chosen: readonly SyncCandidate[], applies: readonly SyncTask[], options: SyncOptions): SyncTask[] {
  const gone = chosen.flatMap(({ key, target, live }) =>
    target === undefined && live !== undefined ? [{ key, live }] : [],
  );
  const waves = [...new Set(gone.map(({ live }) => waveOf(live)))].sort((a, b) => a - b);
  const lastWave = Math.max(0, ...applies.map(({ wave }) => wave), ...waves);
  return gone.map(({ key, live }) => {
    const mirrored = waves[waves.length - 1 - waves.indexOf(waveOf(live))] ?? 0;
    const wave = hasOption(options, live, "PruneLast") ? lastWave + 1 : mirrored;
    return { key, phase: "Sync", wave, live };
  });
}

function hookTasks({ hooks, resources, runHooks }: TaskInput): SyncTask[] {
  if (!runHooks || resources !== undefined) return [];
  return hooks.flatMap(({ key, target, live }) => {
    const hook = target === undefined ? undefined : hookOf(target);
    if (target === undefined || hook === undefined) return [];
    return hook.phases.map((phase) => ({ key, phase, wave: waveOf(target), hook, target, ...(live && { live }) }));
  });
}

function compareTasks(a: SyncTask, b: SyncTask): number {
  return (
    phaseOrder.indexOf(a.phase) - phaseOrder.indexOf(b.phase) ||
    a.wave - b.wave ||
    rank(a) - rank(b) ||
    (keyText(a.key) < keyText(b.key) ? -1 : 1)
  );
}

/** Within a wave prunes come first, in reverse kind order. */
function rank(task: SyncTask): number {
  return task.target === undefined ? -1 - kindRank(task.key.kind) : kindRank(task.key.kind);
}
