/**
 * Carries a sync on: does what the plan says until it has to wait or is over. All progress is in the returned state,
 * which `save` makes durable between groups, so that a restart goes on in the middle.
 */
import type { AnyObject, AppProject, Application, OperationState, ResourceResult } from "#api";
import { toTimestamp, type Clock } from "#lib";
import type { Cluster } from "#kube";
import { compareApplication } from "../compare.ts";
import { resourceHealth } from "../health/resource-health.ts";
import type { LiveObjects } from "../live/live-objects.ts";
import { keyOfObject, keyText } from "../object-key.ts";
import type { Targets } from "../source/targets.ts";
import { instanceName } from "../tracking.ts";
import { ensureNamespace } from "./apply.ts";
import { executeTask, operationAnnotation, removeEndedHooks, type TaskContext } from "./execute-task.ts";
import { hookOf } from "./hooks.ts";
import { planStep, resultOf, type SyncStep } from "./step.ts";
import { syncOptionsOf } from "./sync-options.ts";
import { planTasks, type SyncTask } from "./tasks.ts";
import { annotationOf } from "../object-key.ts";

export interface OperationParts {
  readonly cluster: Cluster;
  readonly live: LiveObjects;
  readonly clock: Clock;
  readonly save: (state: OperationState) => Promise<void>;
}

export interface OperationInput {
  readonly application: Application;
  readonly project: AppProject;
  readonly state: OperationState;
  readonly targets: Targets;
  readonly revision: string;
  readonly signal: AbortSignal;
}

/** `waiting` goes on when something changes; `finished` has how it ended in its phase, before retries are thought of. */
export interface OperationProgress {
  readonly kind: "waiting" | "finished";
  readonly state: OperationState;
}

export async function runOperation(parts: OperationParts, input: OperationInput): Promise<OperationProgress> {
  const { sync } = input.state.operation;
  const options = syncOptionsOf(input.application, sync);
  let { state } = input;
  const context = (): TaskContext => ({ ...parts, ...input, state, options });
  if (sync?.manifests !== undefined)
    return finished(parts, state, "Error", "Local manifests are not supported: push them");
  if (state.syncResult?.resources === undefined) {
    const begun = await begin(parts, input, context());
    if (begun.kind === "finished") return begun;
    state = begun.state;
  }
  for (let groups = 0; ; groups++) {
    input.signal.throwIfAborted();
    const tasks = tasksOf(input, context());
    const before = state.syncResult?.resources ?? [];
    const { step, results } = planStep({ tasks, results: before, health: (task) => healthOf(task, parts.live) });
    await removeEndedHooks(tasks, before, results, context());
    state = withResults(state, results);
    if (step.kind === "finish") return finished(parts, state, step.phase, step.message);
    if (step.kind === "wait") return { kind: "waiting", state: { ...state, message: step.message } };
    // One group done again after a crash does no harm (applies are idempotent, hooks know their operation); two could.
    if (groups > 0) await parts.save(state);
    const done = await runGroup(step, context());
    state = withResults(state, [...results, ...done]);
    if (done.length < step.tasks.length && done.every(({ status }) => status !== "SyncFailed")) {
      return { kind: "waiting", state: { ...state, message: "waiting for hooks of an earlier sync to go" } };
    }
  }
}

/** Once per attempt: namespace, then a dry run of everything, so that a sync with an invalid object changes nothing. */
async function begin(parts: OperationParts, input: OperationInput, context: TaskContext): Promise<OperationProgress> {
  const { application, state, signal } = input;
  const { namespace } = application.spec.destination;
  const dryRunOnly = state.operation.sync?.dryRun === true;
  if (!dryRunOnly && namespace && context.options.has("CreateNamespace=true")) {
    await ensureNamespace(
      parts.cluster,
      namespace,
      application.spec.syncPolicy?.managedNamespaceMetadata ?? {},
      signal,
    );
  }
  const tasks = tasksOf(input, context);
  const crds = new Set(tasks.flatMap(({ target }) => (target === undefined ? [] : crdKinds(target))));
  const results: ResourceResult[] = [];
  for (const task of tasks) {
    if (task.target !== undefined && crds.has(task.target.kind)) continue;
    const result = await executeTask(task, context, true);
    if (result !== undefined) results.push(result);
  }
  const failed = results.filter(({ status }) => status === "SyncFailed");
  const [first] = failed;
  if (first !== undefined) {
    const message = `one or more objects failed to apply (dry run), reason: ${first.kind} "${first.name}": ${first.message ?? ""}`;
    return finished(parts, withResults(state, failed), "Failed", message);
  }
  if (dryRunOnly) {
    const checked = results.map((result): ResourceResult => ({ ...result, hookPhase: "Succeeded" }));
    return finished(parts, withResults(state, checked), "Succeeded", "successfully synced (dry run)");
  }
  return { kind: "waiting", state: withResults(state, []) };
}

function crdKinds(target: AnyObject): string[] {
  if (target.kind !== "CustomResourceDefinition") return [];
  const kind = (target["spec"] as { names?: { kind?: unknown } } | undefined)?.names?.kind;
  return typeof kind === "string" ? [kind] : [];
}

function tasksOf(
  { application, state, targets, revision }: OperationInput,
  { live, options }: TaskContext,
): SyncTask[] {
  const managed = live.managedBy(instanceName(application));
  const { objects } = compareApplication(application, targets.objects, (key) => live.get(key), managed);
  const hooks = targets.hooks
    .map((target) => namedHook(target, state, revision))
    .map((target) => ({ key: keyOfObject(target), target }));
  const sync = state.operation.sync;
  return planTasks({
    candidates: objects.map(({ key, target, live: found, status }) => ({
      key,
      ...(target && { target }),
      ...(found && { live: found }),
      synced: status === "Synced",
    })),
    hooks,
    options,
    resources: sync?.resources,
    runHooks: sync?.syncStrategy?.apply === undefined,
    begun: new Set((state.syncResult?.resources ?? []).map(keyText)),
  });
}

/** A hook with generateName gets a name of its own for each operation: `<revision>-<phase>-<start>`. */
function namedHook(target: AnyObject, state: OperationState, revision: string): AnyObject {
  if (target.metadata.name || !target.metadata.generateName) return target;
  const phase = hookOf(target)?.phases[0]?.toLowerCase() ?? "sync";
  const started = Math.floor(Temporal.Instant.from(state.startedAt).epochMilliseconds / 1000);
  const { generateName, ...metadata } = target.metadata;
  return { ...target, metadata: { ...metadata, name: `${generateName}${revision.slice(0, 7)}-${phase}-${started}` } };
}

function healthOf(task: SyncTask, live: LiveObjects): ReturnType<Parameters<typeof planStep>[0]["health"]> {
  const object = live.get(task.key);
  if (object === undefined) return { there: false, deleting: false };
  const health = resourceHealth(object);
  return { there: true, deleting: object.metadata.deletionTimestamp !== undefined, ...(health && { health }) };
}

/** Kind by kind in order; a failure does not keep the rest of the group from being applied, as upstream. */
async function runGroup(step: Extract<SyncStep, { kind: "run" }>, context: TaskContext): Promise<ResourceResult[]> {
  const results: ResourceResult[] = [];
  for (const task of step.tasks) {
    const result = await executeTask(task, context, false);
    if (result !== undefined) results.push(result);
  }
  return results;
}

/** Running hooks of a sync that is being terminated are taken away. */
export async function stopHooks(parts: OperationParts, input: OperationInput): Promise<void> {
  const options = syncOptionsOf(input.application, input.state.operation.sync);
  const tasks = tasksOf(input, { ...parts, ...input, options });
  const results = input.state.syncResult?.resources ?? [];
  for (const task of tasks) {
    const object = parts.live.get(task.key);
    if (task.hook === undefined || object === undefined || resultOf(results, task)?.hookPhase !== "Running") continue;
    if (annotationOf(object, operationAnnotation) !== input.state.startedAt) continue;
    const type = parts.cluster.resolveType(object.apiVersion, object.kind);
    const place = { name: task.key.name, ...(task.key.namespace === "" ? {} : { namespace: task.key.namespace }) };
    if (type !== undefined)
      await parts.cluster.delete(type, place, { signal: input.signal, propagationPolicy: "Background" });
  }
}

function withResults(state: OperationState, resources: readonly ResourceResult[]): OperationState {
  const { syncResult } = state;
  return { ...state, syncResult: { revision: "", ...syncResult, resources: [...resources] } };
}

function finished(
  { clock }: OperationParts,
  state: OperationState,
  phase: "Succeeded" | "Failed" | "Error",
  message: string,
): OperationProgress {
  return { kind: "finished", state: { ...state, phase, message, finishedAt: toTimestamp(clock.now()) } };
}
