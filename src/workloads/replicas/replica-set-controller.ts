/** Keeps as many pods as each ReplicaSet says. */
import { apiVersionOf, type Pod, pods, type ReplicaSet, replicaSets } from "#api";
import {
  type Controller,
  createController,
  type Outcome,
  recordEvent,
  type Request,
  requestsOfOwner,
  settled,
  watching,
} from "#controller";
import { isKubeError } from "#kube";
import { deepEqual, errorMessage } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import { PendingPods } from "./pending-writes.ts";
import { planReplicaSet, type ReplicaSetAction, withFailure } from "./plan-replica-set.ts";

type Failure = { readonly reason: "FailedCreate" | "FailedDelete"; readonly message: string };

export function createReplicaSetController(context: ControllerContext): Controller & Disposable {
  const sets = context.informers.for(replicaSets);
  const pending = new PendingPods(context.informers.for(pods), context.clock);
  const orphanOwners = (pod: Pod): readonly Request[] => {
    if (pod.metadata.ownerReferences?.some(({ controller }) => controller) === true) return [];
    const { namespace = "" } = pod.metadata;
    return sets.list(namespace).map((set) => ({ namespace, name: set.metadata.name }));
  };
  const controller = createController({
    ...context,
    name: "replicaset-controller",
    primary: replicaSets,
    watches: [watching(pods, requestsOfOwner("ReplicaSet")), watching(pods, orphanOwners)],
    concurrency: 8,
    async reconcile(request, signal) {
      const set = sets.get(request.namespace, request.name);
      return set === undefined ? settled : await reconcile(context, pending, set, signal);
    },
  });
  return { ...controller, [Symbol.dispose]: () => pending[Symbol.dispose]() };
}

async function reconcile(
  context: ControllerContext,
  pending: PendingPods,
  replicaSet: ReplicaSet,
  signal: AbortSignal,
): Promise<Outcome> {
  const now = context.clock.now();
  const namespace = replicaSet.metadata.namespace ?? "";
  const nowMs = now.epochMilliseconds;
  const plan = planReplicaSet({ replicaSet, pods: pending.list(namespace), nowMs });
  let failure: Failure | undefined;
  for (const action of plan.actions) failure ??= await act(context, pending, replicaSet, action, signal);
  // What was just written changes the counts: read them again rather than tell yesterday's.
  const after = plan.actions.length === 0 ? plan : planReplicaSet({ replicaSet, pods: pending.list(namespace), nowMs });
  const status = withFailure(after.status, failure, now);
  if (!deepEqual(status, replicaSet.status)) {
    await context.cluster.updateStatus(replicaSets, { ...replicaSet, status }, { signal });
  }
  if (failure !== undefined) throw new Error(failure.message);
  const { wakeAtMs } = after;
  return wakeAtMs === undefined
    ? settled
    : { kind: "wait", ms: wakeAtMs - nowMs, reason: "a pod becomes available then" };
}

async function act(
  context: ControllerContext,
  pending: PendingPods,
  replicaSet: ReplicaSet,
  action: ReplicaSetAction,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  switch (action.kind) {
    case "adopt":
    case "release":
      await changeOwner(context, replicaSet, action.pod, action.kind, signal);
      return undefined;
    case "create":
      return await createPods(context, pending, replicaSet, action.count, signal);
    case "delete":
      return await deletePods(context, pending, replicaSet, action.pods, signal);
  }
}

/** In batches of 1, 2, 4 …: when all fail for one reason, that is learnt from one request, not from hundreds. */
async function createPods(
  context: ControllerContext,
  pending: PendingPods,
  replicaSet: ReplicaSet,
  count: number,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  for (let done = 0, batch = 1; done < count; done += batch, batch *= 2) {
    const size = Math.min(batch, count - done);
    const results = await Promise.allSettled(
      Array.from({ length: size }, async () => {
        const pod = await context.cluster.create(pods, podOf(context, replicaSet), { signal });
        pending.created(pod);
        await tell(context, replicaSet, "Normal", "SuccessfulCreate", `Created pod: ${pod.metadata.name}`, signal);
      }),
    );
    const failed = results.find((result) => result.status === "rejected");
    if (failed === undefined) continue;
    signal.throwIfAborted();
    if (isKubeError(failed.reason, "Forbidden") && replicaSetIsGoing(context, replicaSet)) return undefined;
    const message = `Error creating: ${errorMessage(failed.reason)}`;
    await tell(context, replicaSet, "Warning", "FailedCreate", message, signal);
    return { reason: "FailedCreate", message };
  }
  return undefined;
}

/** A namespace that goes away refuses pods; its ReplicaSets follow shortly. */
function replicaSetIsGoing(context: ControllerContext, { metadata }: ReplicaSet): boolean {
  const present = context.informers.for(replicaSets).get(metadata.namespace ?? "", metadata.name);
  return present === undefined || present.metadata.deletionTimestamp !== undefined;
}

function podOf(context: ControllerContext, replicaSet: ReplicaSet): Pod {
  const { template } = replicaSet.spec;
  const { name, namespace = "", uid = "" } = replicaSet.metadata;
  const owner = { apiVersion: apiVersionOf(replicaSets), kind: "ReplicaSet", name, uid };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...structuredClone(template.metadata),
      // Upstream's generated names: at most 63 characters together.
      name: `${name.slice(0, 57)}-${context.ids.suffix(5)}`,
      generateName: `${name}-`,
      namespace,
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    },
    spec: structuredClone(template.spec),
  };
}

async function deletePods(
  context: ControllerContext,
  pending: PendingPods,
  replicaSet: ReplicaSet,
  victims: readonly Pod[],
  signal: AbortSignal,
): Promise<Failure | undefined> {
  let failure: Failure | undefined;
  for (const pod of victims) {
    const { namespace = "", name, uid = "" } = pod.metadata;
    try {
      await context.cluster.delete(pods, { namespace, name }, { preconditions: { uid }, signal });
      pending.deleted(pod);
      await tell(context, replicaSet, "Normal", "SuccessfulDelete", `Deleted pod: ${name}`, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isKubeError(error, "NotFound") || isKubeError(error, "Conflict")) continue;
      failure ??= { reason: "FailedDelete", message: `Error deleting: ${errorMessage(error)}` };
    }
  }
  return failure;
}

async function changeOwner(
  context: ControllerContext,
  replicaSet: ReplicaSet,
  pod: Pod,
  kind: "adopt" | "release",
  signal: AbortSignal,
): Promise<void> {
  const { name, uid = "" } = replicaSet.metadata;
  const others = (pod.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
  const owner = {
    apiVersion: apiVersionOf(replicaSets),
    kind: "ReplicaSet",
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const ownerReferences = kind === "adopt" ? [...others, owner] : others;
  const { namespace = "", name: podName, uid: podUid, resourceVersion } = pod.metadata;
  const patch = { metadata: { uid: podUid, resourceVersion, ownerReferences } };
  try {
    await context.cluster.patch(pods, { namespace, name: podName }, { type: "merge", patch }, { signal });
  } catch (error) {
    if (!isKubeError(error, "NotFound")) throw error;
  }
}

async function tell(
  context: ControllerContext,
  replicaSet: ReplicaSet,
  type: "Normal" | "Warning",
  reason: string,
  message: string,
  signal: AbortSignal,
): Promise<void> {
  const options = { ...context, component: "replicaset-controller" };
  await recordEvent(options, replicaSets, replicaSet, { type, reason, message }, signal);
}
