/** Does one task of a sync and says how it went. */
import type { AppProject, Application, OperationState, ResourceResult, ResultCode } from "#api";
import { splitApiVersion, type AnyObject } from "#api";
import { errorMessage, isAbort } from "#lib";
import { isKubeError, type Cluster } from "#kube";
import type { LiveObjects } from "../live/live-objects.ts";
import { annotationOf, keyText } from "../object-key.ts";
import { permitsObject } from "../project/check-project.ts";
import { instanceName, ownerInstance, withTracking } from "../tracking.ts";
import { applyObject, deleteObject } from "./apply.ts";
import { hasOption, propagationPolicy, type SyncOptions } from "./sync-options.ts";
import type { SyncTask } from "./tasks.ts";

/** On live hooks: the start of the operation they were created for, so that a restart does not run them twice. */
export const operationAnnotation = "tidegate.dev/operation-started-at";

export interface TaskContext {
  readonly cluster: Cluster;
  readonly live: LiveObjects;
  readonly application: Application;
  readonly project: AppProject;
  readonly state: OperationState;
  readonly options: SyncOptions;
  readonly signal: AbortSignal;
}

type Said = Pick<ResourceResult, "status" | "message" | "hookPhase">;

/** Undefined when the task has to wait: an older run of the hook is still going away. */
export async function executeTask(
  task: SyncTask,
  context: TaskContext,
  dryRun: boolean,
): Promise<ResourceResult | undefined> {
  let said: Said | undefined;
  try {
    said =
      task.target === undefined ? await prune(task, context, dryRun) : await apply(task, task.target, context, dryRun);
  } catch (error) {
    if (context.signal.aborted && isAbort(error)) throw error;
    said = { status: "SyncFailed", message: errorMessage(error), hookPhase: "Failed" };
  }
  return said === undefined ? undefined : taskResult(task, said);
}

function taskResult(task: SyncTask, said: Said): ResourceResult {
  const { version } = splitApiVersion((task.target ?? task.live)?.apiVersion ?? "");
  return {
    ...task.key,
    version,
    syncPhase: task.phase,
    ...(task.hook === undefined ? {} : { hookType: task.phase }),
    ...said,
  };
}

async function prune(task: SyncTask, context: TaskContext, dryRun: boolean): Promise<Said> {
  const { state, options, cluster, live, signal } = context;
  const skipped = (message: string): Said => ({ status: "PruneSkipped", message, hookPhase: "Succeeded" });
  if (hasOption(options, task.live, "Prune", "false")) return skipped("ignored (no prune)");
  if (state.operation.sync?.prune !== true) return skipped("ignored (requires pruning)");
  const type = task.live === undefined ? undefined : cluster.resolveType(task.live.apiVersion, task.live.kind);
  if (task.live === undefined || type === undefined)
    return { status: "Pruned", message: "already gone", hookPhase: "Succeeded" };
  if (dryRun) return { status: "Pruned", message: "pruned (dry run)", hookPhase: "Succeeded" };
  if (await deleteObject(cluster, type, task.live, propagationPolicy(options), signal)) live.noteDeleted(task.live);
  return { status: "Pruned", message: "pruned", hookPhase: "Succeeded" };
}

async function apply(
  task: SyncTask,
  target: AnyObject,
  context: TaskContext,
  dryRun: boolean,
): Promise<Said | undefined> {
  const { cluster, live, application, options, signal } = context;
  const refusal = refusalOf(task, target, context);
  if (refusal !== undefined) return { status: "SyncFailed", message: refusal, hookPhase: "Failed" };
  const type = cluster.resolveType(target.apiVersion, target.kind);
  if (type === undefined) return unknownKind(target, context, dryRun);
  if (task.hook !== undefined && !(await isHookPlaceFree(task, context, dryRun))) return undefined;
  const replace = hasOption(options, target, "Replace");
  const force = hasOption(options, target, "Force") || isForced(context.state);
  const respect = options.has("RespectIgnoreDifferences=true") ? (application.spec.ignoreDifferences ?? []) : [];
  const sent = task.hook === undefined ? target : markedHook(target, context);
  try {
    const applied = await applyObject(cluster, type, sent, { dryRun, replace, force, respect, signal });
    if (!dryRun) live.note(applied.object);
    const code: ResultCode = "Synced";
    return { status: code, message: `${type.plural}/${target.metadata.name} ${applied.change}`, hookPhase: "Running" };
  } catch (error) {
    // The namespace comes with this very sync: only the real run can tell.
    if (dryRun && isKubeError(error, "NotFound"))
      return { status: "Synced", message: "not checked: namespace is missing", hookPhase: "Running" };
    throw error;
  }
}

function refusalOf(
  task: SyncTask,
  target: AnyObject,
  { application, project, options, live }: TaskContext,
): string | undefined {
  const { kind, name } = task.key;
  if (!permitsObject(project, { ...task.key, namespace: target.metadata.namespace ?? "" })) {
    return `${kind} "${name}" is not permitted in project "${project.metadata.name}"`;
  }
  const holder = live.get(task.key);
  const owner = holder === undefined ? undefined : ownerInstance(holder);
  if (options.has("FailOnSharedResource=true") && owner !== undefined && owner !== instanceName(application)) {
    return `Shared resource found: ${kind} "${name}" belongs to application "${owner}"`;
  }
  return undefined;
}

/** Before the real run a kind may be missing when its CRD is about to come. */
function unknownKind(target: AnyObject, { options }: TaskContext, dryRun: boolean): Said {
  if (dryRun && hasOption(options, target, "SkipDryRunOnMissingResource")) {
    return { status: "Synced", message: "not checked: kind is not known yet", hookPhase: "Running" };
  }
  const message = `The cluster does not know ${target.kind} of ${target.apiVersion}: install its CustomResourceDefinition`;
  return { status: "SyncFailed", message, hookPhase: "Failed" };
}

function isForced({ operation }: OperationState): boolean {
  const { apply, hook } = operation.sync?.syncStrategy ?? {};
  return apply?.force === true || hook?.force === true;
}

function markedHook(target: AnyObject, { application, state }: TaskContext): AnyObject {
  const annotations = { ...target.metadata.annotations, [operationAnnotation]: state.startedAt };
  return withTracking({ ...target, metadata: { ...target.metadata, annotations } }, instanceName(application));
}

/** A hook of an earlier operation goes first, if its policy says so. One of this operation stays: it was created before a restart. */
async function isHookPlaceFree(
  task: SyncTask,
  { cluster, live, state, signal }: TaskContext,
  dryRun: boolean,
): Promise<boolean> {
  const old = live.get(task.key);
  if (dryRun || old === undefined || task.hook?.policies.includes("BeforeHookCreation") !== true) return true;
  if (annotationOf(old, operationAnnotation) === state.startedAt) return true;
  const type = cluster.resolveType(old.apiVersion, old.kind);
  if (type === undefined || !(await deleteObject(cluster, type, old, "Background", signal))) return false;
  live.noteDeleted(old);
  return true;
}

/** Removes hooks whose policy names how they ended. */
export async function removeEndedHooks(
  tasks: readonly SyncTask[],
  before: readonly ResourceResult[],
  after: readonly ResourceResult[],
  { cluster, live, signal }: TaskContext,
): Promise<void> {
  for (const result of after) {
    const was = before.find((other) => other.syncPhase === result.syncPhase && keyText(other) === keyText(result));
    if (result.hookType === undefined || was?.hookPhase === result.hookPhase) continue;
    const task = tasks.find((other) => other.phase === result.syncPhase && keyText(other.key) === keyText(result));
    const policy = result.hookPhase === "Succeeded" ? "HookSucceeded" : "HookFailed";
    const object = live.get(result);
    if (result.hookPhase === "Running" || object === undefined || task?.hook?.policies.includes(policy) !== true)
      continue;
    const type = cluster.resolveType(object.apiVersion, object.kind);
    if (type !== undefined && (await deleteObject(cluster, type, object, "Background", signal)))
      live.noteDeleted(object);
  }
}
