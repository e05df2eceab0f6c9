/** Brings each Deployment's ReplicaSets to its template, a step at a time. */
import { apiVersionOf, controllerOf, type Deployment, deployments, pods, type ReplicaSet, replicaSets } from "#api";
import {
  type Controller,
  createController,
  type Outcome,
  recordEvent,
  type Request,
  requestsOfOwner,
  setCondition,
  settled,
  watching,
} from "#controller";
import { isKubeError } from "#kube";
import { deepEqual, errorMessage } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import { type DeploymentAction, planDeployment } from "./plan-deployment.ts";
import { revisionAnnotation, unlabelled } from "./revisions.ts";

export function createDeploymentController(context: ControllerContext): Controller {
  const known = context.informers.for(deployments);
  const sets = context.informers.for(replicaSets);
  const allPods = context.informers.for(pods);
  const orphanOwners = (set: ReplicaSet): readonly Request[] => {
    if (controllerOf(set) !== undefined) return [];
    const { namespace = "" } = set.metadata;
    return known.list(namespace).map(({ metadata }) => ({ namespace, name: metadata.name }));
  };
  return createController({
    ...context,
    name: "deployment-controller",
    primary: deployments,
    watches: [
      watching(replicaSets, requestsOfOwner("Deployment")),
      watching(replicaSets, orphanOwners),
      // Recreate goes on when the last old pod is gone.
      watching(pods, (pod) => {
        const owner = controllerOf(pod);
        const set = owner?.kind === "ReplicaSet" ? sets.get(pod.metadata.namespace ?? "", owner.name) : undefined;
        return set === undefined ? [] : requestsOfOwner("Deployment")(set);
      }),
    ],
    async reconcile({ namespace, name }, signal) {
      const deployment = known.get(namespace, name);
      if (deployment === undefined) return settled;
      const now = context.clock.now();
      const plan = planDeployment({
        deployment,
        replicaSets: sets.list(namespace),
        pods: allPods.list(namespace),
        now,
      });
      const status = await actAll(context, deployment, plan.actions, plan.status, signal);
      if (!deepEqual(status, deployment.status ?? {})) {
        const patch = { metadata: { uid: deployment.metadata.uid }, status: withRemovals(deployment.status, status) };
        await context.cluster.patch(
          deployments,
          { namespace, name },
          { type: "merge", patch },
          { signal, subresource: "status" },
        );
      }
      return outcomeAt(plan.wakeAtMs, now);
    },
  });
}

function outcomeAt(wakeAtMs: number | undefined, now: Temporal.Instant): Outcome {
  if (wakeAtMs === undefined) return settled;
  return { kind: "wait", ms: Math.max(1000, wakeAtMs - now.epochMilliseconds), reason: "the progress deadline" };
}

/** A merge patch removes only what it says is null. */
function withRemovals(old: Deployment["status"], next: NonNullable<Deployment["status"]>): Record<string, unknown> {
  const removed = Object.keys(old ?? {}).filter((key) => !(key in next));
  return { ...Object.fromEntries(removed.map((key) => [key, null])), ...next };
}

async function actAll(
  context: ControllerContext,
  deployment: Deployment,
  actions: readonly DeploymentAction[],
  status: NonNullable<Deployment["status"]>,
  signal: AbortSignal,
): Promise<NonNullable<Deployment["status"]>> {
  for (const action of actions) {
    const collided = await act(context, deployment, action, signal);
    if (collided) return { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 };
  }
  return status;
}

/** True when the new ReplicaSet's name belongs to somebody else. */
async function act(
  context: ControllerContext,
  deployment: Deployment,
  action: DeploymentAction,
  signal: AbortSignal,
): Promise<boolean> {
  const { cluster } = context;
  const { namespace = "", name, uid = "" } = deployment.metadata;
  switch (action.kind) {
    case "create":
      return await createSet(context, deployment, action.replicaSet, signal);
    case "mark": {
      const patch = { metadata: { uid, annotations: { [revisionAnnotation]: action.revision } } };
      await cluster.patch(deployments, { namespace, name }, { type: "merge", patch }, { signal });
      return false;
    }
    case "change":
      await changeSet(context, deployment, action, signal);
      return false;
    case "delete": {
      const { metadata } = action.replicaSet;
      const preconditions = { uid: metadata.uid ?? "" };
      await cluster
        .delete(replicaSets, { namespace, name: metadata.name }, { preconditions, signal })
        .catch(unlessGone);
      return false;
    }
    case "adopt":
    case "release": {
      const { metadata } = action.replicaSet;
      const others = (metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
      const owner = {
        apiVersion: apiVersionOf(deployments),
        kind: "Deployment",
        name,
        uid,
        controller: true,
        blockOwnerDeletion: true,
      };
      const ownerReferences = action.kind === "adopt" ? [...others, owner] : others;
      const patch = { metadata: { uid: metadata.uid, resourceVersion: metadata.resourceVersion, ownerReferences } };
      await cluster.patch(replicaSets, { namespace, name: metadata.name }, { type: "merge", patch }, { signal });
      return false;
    }
  }
}

function unlessGone(error: unknown): void {
  if (!isKubeError(error, "NotFound") && !isKubeError(error, "Conflict")) throw error;
}

async function createSet(
  context: ControllerContext,
  deployment: Deployment,
  replicaSet: ReplicaSet,
  signal: AbortSignal,
): Promise<boolean> {
  const { namespace = "", name } = replicaSet.metadata;
  try {
    await context.cluster.create(replicaSets, replicaSet, { signal });
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) {
      await refused(context, deployment, name, error, signal);
      throw error;
    }
    const present = await context.cluster.get(replicaSets, { namespace, name }, { signal });
    // Ours, and only the cache does not know yet? Or another template with the same hash?
    const ours = present !== undefined && controllerOf(present)?.uid === deployment.metadata.uid;
    return !(ours && deepEqual(unlabelled(present.spec.template), unlabelled(replicaSet.spec.template)));
  }
  await tell(context, deployment, `Scaled up replica set ${name} from 0 to ${replicaSet.spec.replicas ?? 0}`, signal);
  return false;
}

/** The cluster would not have the ReplicaSet: said where people look, and tried again with back-off. */
async function refused(
  context: ControllerContext,
  deployment: Deployment,
  replicaSet: string,
  error: unknown,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  // A namespace that goes away refuses everything; its Deployments follow shortly.
  if (isKubeError(error, "Forbidden")) return;
  const reason = "ReplicaSetCreateError";
  const message = `Failed to create new replica set "${replicaSet}": ${errorMessage(error)}`;
  const event = { type: "Warning", reason, message } as const;
  await recordEvent({ ...context, component: "deployment-controller" }, deployments, deployment, event, signal);
  if (deployment.spec.progressDeadlineSeconds === undefined) return;
  const condition = { type: "Progressing", status: "False", reason, message } as const;
  const conditions = setCondition(deployment.status?.conditions ?? [], condition, context.clock.now());
  const { namespace = "", name, uid } = deployment.metadata;
  const patch = { type: "merge", patch: { metadata: { uid }, status: { conditions } } } as const;
  await context.cluster.patch(deployments, { namespace, name }, patch, { signal, subresource: "status" });
}

/** The resourceVersion makes a step that was planned on an old view fail rather than be taken twice. */
async function changeSet(
  context: ControllerContext,
  deployment: Deployment,
  action: Extract<DeploymentAction, { kind: "change" }>,
  signal: AbortSignal,
): Promise<void> {
  const { replicaSet, replicas, annotations, minReadySeconds } = action;
  const { namespace = "", name, uid, resourceVersion } = replicaSet.metadata;
  const spec = {
    ...(replicas === undefined ? {} : { replicas }),
    ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
  };
  const patch = { metadata: { uid, resourceVersion, ...(annotations === undefined ? {} : { annotations }) }, spec };
  await context.cluster.patch(replicaSets, { namespace, name }, { type: "merge", patch }, { signal });
  const before = replicaSet.spec.replicas ?? 0;
  if (replicas === undefined || replicas === before) return;
  const verb = replicas > before ? "up" : "down";
  await tell(context, deployment, `Scaled ${verb} replica set ${name} from ${before} to ${replicas}`, signal);
}

async function tell(
  context: ControllerContext,
  deployment: Deployment,
  message: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { ...context, component: "deployment-controller" };
  await recordEvent(options, deployments, deployment, { type: "Normal", reason: "ScalingReplicaSet", message }, signal);
}
