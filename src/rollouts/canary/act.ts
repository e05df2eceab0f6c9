/** Does the actions of a plan, in order. Any of them may be the last one done. */
import {
  type AnalysisRun,
  analysisRuns,
  desiredReplicasAnnotation,
  type KubeObject,
  pods,
  type ReplicaSet,
  replicaSets,
  type ResourceType,
  revisionAnnotation,
  type Rollout,
  rollouts,
} from "#api";
import type { Clock } from "#lib";
import { type Cluster, isKubeError } from "#kube";
import { type Outcome, recordEvent, settled } from "#controller";
import { RolloutError } from "../errors.ts";
import type { Action, ObservedRollout } from "./observed.ts";
import { isControlledBy } from "./revisions.ts";

export interface ActOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
}

/** Throws `KubeError` Conflict when the world is no longer the observed one: then a new plan is due. */
export async function act(
  options: ActOptions,
  observed: ObservedRollout,
  actions: readonly Action[],
  signal: AbortSignal,
): Promise<Outcome> {
  let outcome: Outcome = settled;
  let { rollout } = observed;
  const namespace = rollout.metadata.namespace ?? "default";
  for (const action of actions) {
    signal.throwIfAborted();
    if (action.kind === "requeueAfter") outcome = sooner(outcome, action);
    else rollout = (await perform({ ...options, observed, rollout, namespace, signal }, action)) ?? rollout;
  }
  return outcome;
}

function sooner(outcome: Outcome, { ms, reason }: { readonly ms: number; readonly reason: string }): Outcome {
  return outcome.kind === "wait" && outcome.ms <= ms ? outcome : { kind: "wait", ms, reason };
}

type Performed = Exclude<Action, { kind: "requeueAfter" }>;
type RolloutAction = Extract<Performed, { kind: "setReplicas" | "setRevision" | "updateStatus" }>;
type ReplicaSetAction = Extract<
  Performed,
  { kind: "createReplicaSet" | "annotateReplicaSet" | "scaleReplicaSet" | "deleteReplicaSet" }
>;
type AnalysisAction = Extract<Performed, { kind: "createAnalysisRun" | "terminateAnalysisRun" | "deleteAnalysisRun" }>;

interface Scene extends ActOptions {
  readonly observed: ObservedRollout;
  readonly rollout: Rollout;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/** Returns the Rollout when it was written, so that the next write has its resourceVersion. */
async function perform(scene: Scene, action: Performed): Promise<Rollout | undefined> {
  switch (action.kind) {
    case "setWeights":
      // The reconciler answers these before it acts.
      return undefined;
    case "setReplicas":
    case "setRevision":
    case "updateStatus":
      return await performOnRollout(scene, action);
    case "createReplicaSet":
    case "annotateReplicaSet":
    case "scaleReplicaSet":
    case "deleteReplicaSet":
      await performOnReplicaSet(scene, action);
      return undefined;
    case "createAnalysisRun":
    case "terminateAnalysisRun":
    case "deleteAnalysisRun":
      await performOnAnalysisRun(scene, action);
      return undefined;
    case "deletePod": {
      const { cluster, namespace, signal } = scene;
      await ignoringNotFound(cluster.delete(pods, { namespace, name: action.name }, { signal }));
      return undefined;
    }
    case "recordEvent": {
      const { type, reason, message } = action;
      const recorder = { cluster: scene.cluster, clock: scene.clock, component: "rollouts-controller" };
      await recordEvent(recorder, rollouts, scene.rollout, { type, reason, message }, scene.signal);
      return undefined;
    }
  }
}

async function performOnRollout({ cluster, rollout, signal }: Scene, action: RolloutAction): Promise<Rollout> {
  switch (action.kind) {
    case "setReplicas": {
      const sized = changed(rollout, (copy) => (copy.spec.replicas = action.replicas));
      return await cluster.update(rollouts, sized, { signal });
    }
    case "setRevision": {
      const numbered = withAnnotations(rollout, { [revisionAnnotation]: String(action.revision) });
      return await cluster.update(rollouts, numbered, { signal });
    }
    case "updateStatus":
      return await cluster.updateStatus(rollouts, { ...rollout, status: action.status }, { signal });
  }
}

async function performOnReplicaSet(scene: Scene, action: ReplicaSetAction): Promise<void> {
  const { cluster, observed, signal } = scene;
  switch (action.kind) {
    case "createReplicaSet":
      await createOwned(scene, replicaSets, action.replicaSet);
      return;
    case "annotateReplicaSet": {
      const set = withAnnotations(find(observed, action.name), action.annotations);
      set.spec.minReadySeconds = action.minReadySeconds;
      await cluster.update(replicaSets, set, { signal });
      return;
    }
    case "scaleReplicaSet": {
      const annotations = { [desiredReplicasAnnotation]: String(action.desired) };
      const set = withAnnotations(find(observed, action.name), annotations);
      set.spec.replicas = action.replicas;
      await cluster.update(replicaSets, set, { signal });
      return;
    }
    case "deleteReplicaSet":
      await remove(scene, replicaSets, find(observed, action.name));
  }
}

async function performOnAnalysisRun(scene: Scene, action: AnalysisAction): Promise<void> {
  const { cluster, observed, namespace, signal } = scene;
  switch (action.kind) {
    case "createAnalysisRun":
      await createOwned(scene, analysisRuns, action.run);
      return;
    case "terminateAnalysisRun": {
      const patch = { type: "merge", patch: { spec: { terminate: true } } } as const;
      await ignoringNotFound(cluster.patch(analysisRuns, { namespace, name: action.name }, patch, { signal }));
      return;
    }
    case "deleteAnalysisRun": {
      const run = observed.analysisRuns.find(({ metadata }) => metadata.name === action.name);
      if (run !== undefined) await remove(scene, analysisRuns, run);
    }
  }
}

function changed<T>(object: T, change: (copy: T) => void): T {
  const copy = structuredClone(object);
  change(copy);
  return copy;
}

function withAnnotations<T extends KubeObject>(object: T, annotations: Readonly<Record<string, string>>): T {
  return changed(object, (copy) => (copy.metadata.annotations = { ...copy.metadata.annotations, ...annotations }));
}

function find(observed: ObservedRollout, name: string): ReplicaSet {
  const set = observed.replicaSets.find(({ metadata }) => metadata.name === name);
  // plans only name ReplicaSets they were given
  if (set === undefined) throw new RolloutError(`Plan names ReplicaSet "${name}" that was not observed`);
  return set;
}

/** Makes the object; fine when ours was there already, since names are fixed by what is wanted. */
async function createOwned<T extends ReplicaSet | AnalysisRun>(
  { cluster, rollout, signal }: Scene,
  type: ResourceType<T>,
  object: T,
): Promise<void> {
  try {
    await cluster.create(type, object, { signal });
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
    const { namespace = "default", name } = object.metadata;
    const known = await cluster.get(type, { namespace, name }, { signal });
    if (known === undefined || isControlledBy(rollout, known)) return;
    const what = `${type.kind} "${namespace}/${name}"`;
    const owner = `rollout "${rollout.metadata.name}"`;
    throw new RolloutError(
      `Cannot create ${what}: there is one that ${owner} does not own: delete or rename it`,
      error,
    );
  }
}

async function remove<T extends KubeObject>(
  { cluster, signal }: Scene,
  type: ResourceType<T>,
  object: T,
): Promise<void> {
  const { namespace = "default", name, uid } = object.metadata;
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  await ignoringNotFound(cluster.delete(type, { namespace, name }, { signal, ...preconditions }));
}

async function ignoringNotFound(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isKubeError(error, "NotFound")) throw error;
  }
}
