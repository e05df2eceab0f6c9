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
  for (const action of actions) {
    signal.throwIfAborted();
    if (action.kind === "requeueAfter") outcome = sooner(outcome, action);
    else rollout = (await perform(options, observed, rollout, action, signal)) ?? rollout;
  }
  return outcome;
}

function sooner(outcome: Outcome, { ms, reason }: { readonly ms: number; readonly reason: string }): Outcome {
  return outcome.kind === "wait" && outcome.ms <= ms ? outcome : { kind: "wait", ms, reason };
}

/** Returns the Rollout when it was written, so that the next write has its resourceVersion. */
async function perform(
  options: ActOptions,
  observed: ObservedRollout,
  rollout: Rollout,
  action: Exclude<Action, { kind: "requeueAfter" }>,
  signal: AbortSignal,
): Promise<Rollout | undefined> {
  const { cluster } = options;
  const namespace = rollout.metadata.namespace ?? "default";
  switch (action.kind) {
    case "setWeights":
      // The reconciler answers these before it acts.
      return undefined;
    case "setReplicas":
      return await cluster.update(
        rollouts,
        changed(rollout, (copy) => (copy.spec.replicas = action.replicas)),
        { signal },
      );
    case "setRevision":
      return await cluster.update(
        rollouts,
        withAnnotations(rollout, { [revisionAnnotation]: String(action.revision) }),
        {
          signal,
        },
      );
    case "updateStatus":
      return await cluster.updateStatus(rollouts, { ...rollout, status: action.status }, { signal });
    case "createReplicaSet":
      await createOwned(cluster, replicaSets, rollout, action.replicaSet, signal);
      return undefined;
    case "annotateReplicaSet": {
      const set = withAnnotations(find(observed, action.name), action.annotations);
      set.spec.minReadySeconds = action.minReadySeconds;
      await cluster.update(replicaSets, set, { signal });
      return undefined;
    }
    case "scaleReplicaSet": {
      const annotations = { [desiredReplicasAnnotation]: String(action.desired) };
      const set = withAnnotations(find(observed, action.name), annotations);
      set.spec.replicas = action.replicas;
      await cluster.update(replicaSets, set, { signal });
      return undefined;
    }
    case "deleteReplicaSet":
      await remove(cluster, replicaSets, find(observed, action.name), signal);
      return undefined;
    case "deletePod":
      await ignoring("NotFound", cluster.delete(pods, { namespace, name: action.name }, { signal }));
      return undefined;
    case "createAnalysisRun":
      await createOwned(cluster, analysisRuns, rollout, action.run, signal);
      return undefined;
    case "terminateAnalysisRun": {
      const patch = { type: "merge", patch: { spec: { terminate: true } } } as const;
      await ignoring("NotFound", cluster.patch(analysisRuns, { namespace, name: action.name }, patch, { signal }));
      return undefined;
    }
    case "deleteAnalysisRun": {
      const run = observed.analysisRuns.find(({ metadata }) => metadata.name === action.name);
      if (run !== undefined) await remove(cluster, analysisRuns, run, signal);
      return undefined;
    }
    case "recordEvent": {
      const { type, reason, message } = action;
      const recorder = { cluster, clock: options.clock, component: "rollouts-controller" };
      await recordEvent(recorder, rollouts, rollout, { type, reason, message }, signal);
      return undefined;
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
  cluster: Cluster,
  type: ResourceType<T>,
  rollout: Rollout,
  object: T,
  signal: AbortSignal,
): Promise<void> {
  try {
    await cluster.create(type, object, { signal });
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
    const { namespace = "default", name } = object.metadata;
    const known = await cluster.get(type, { namespace, name }, { signal });
    if (known === undefined || isControlledBy(rollout, known)) return;
    const what = `${type.kind} "${namespace}/${name}"`;
    const message = `Cannot create ${what}: there is one that rollout "${rollout.metadata.name}" does not own: delete or rename it`;
    throw new RolloutError(message, error);
  }
}

async function remove<T extends KubeObject>(
  cluster: Cluster,
  type: ResourceType<T>,
  object: T,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "default", name, uid } = object.metadata;
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  await ignoring("NotFound", cluster.delete(type, { namespace, name }, { signal, ...preconditions }));
}

async function ignoring(reason: "NotFound", work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isKubeError(error, reason)) throw error;
  }
}
