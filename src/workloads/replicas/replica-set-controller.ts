/** Keeps as many pods as each ReplicaSet says. */
import { type Pod, pods, type ReplicaSet, replicaSets } from "#api";
import {
  type Controller,
  createController,
  type Outcome,
  type Request,
  requestsOfOwner,
  settled,
  watching,
} from "#controller";
import { deepEqual } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import type { OwnWrites } from "../pods/own-writes.ts";
import {
  changePodOwner,
  createPods,
  deletePods,
  generatedNames,
  podFromTemplate,
  type PodHolder,
  type WriteFailure,
} from "../pods/pod-writes.ts";
import { writeStatus } from "../write-status.ts";
import { planReplicaSet, type ReplicaSetAction, withFailure } from "./plan-replica-set.ts";

export function createReplicaSetController(context: ControllerContext, written: OwnWrites<Pod>): Controller {
  const sets = context.informers.for(replicaSets);
  const holder = { context, type: replicaSets, component: "replicaset-controller", pods: written };
  const orphanOwners = (pod: Pod): readonly Request[] => {
    if (pod.metadata.ownerReferences?.some(({ controller }) => controller) === true) return [];
    const { namespace = "" } = pod.metadata;
    return sets.list(namespace).map((set) => ({ namespace, name: set.metadata.name }));
  };
  return createController({
    ...context,
    name: "replicaset-controller",
    primary: replicaSets,
    watches: [watching(pods, requestsOfOwner("ReplicaSet")), watching(pods, orphanOwners)],
    concurrency: 8,
    async reconcile(request, signal) {
      const set = sets.get(request.namespace, request.name);
      return set === undefined ? settled : await reconcile(holder, set, signal);
    },
  });
}

async function reconcile(holder: PodHolder<ReplicaSet>, replicaSet: ReplicaSet, signal: AbortSignal): Promise<Outcome> {
  const { context } = holder;
  const now = context.clock.now();
  const namespace = replicaSet.metadata.namespace ?? "";
  const nowMs = now.epochMilliseconds;
  const plan = planReplicaSet({ replicaSet, pods: holder.pods.list(namespace), nowMs });
  let failure: WriteFailure | undefined;
  for (const action of plan.actions) failure ??= await act(holder, replicaSet, action, signal);
  // What was just written changes the counts: read them again rather than tell yesterday's.
  const after =
    plan.actions.length === 0 ? plan : planReplicaSet({ replicaSet, pods: holder.pods.list(namespace), nowMs });
  const status = withFailure(after.status, failure, now);
  if (!deepEqual(status, replicaSet.status)) {
    await writeStatus(context.cluster, replicaSets, { ...replicaSet, status }, signal);
  }
  if (failure !== undefined) throw new Error(failure.message);
  const { wakeAtMs } = after;
  return wakeAtMs === undefined
    ? settled
    : { kind: "wait", ms: wakeAtMs - nowMs, reason: "a pod becomes available then" };
}

async function act(
  holder: PodHolder<ReplicaSet>,
  replicaSet: ReplicaSet,
  action: ReplicaSetAction,
  signal: AbortSignal,
): Promise<WriteFailure | undefined> {
  switch (action.kind) {
    case "adopt":
    case "release":
      await changePodOwner(holder, replicaSet, action.pod, action.kind, signal);
      return undefined;
    case "create": {
      const names = (): { name: string } => generatedNames(holder.context, `${replicaSet.metadata.name}-`);
      const make = (): Pod => podFromTemplate(replicaSets, replicaSet, replicaSet.spec.template, names());
      return await createPods(holder, replicaSet, Array.from({ length: action.count }, make), signal);
    }
    case "delete":
      return await deletePods(holder, replicaSet, action.pods, signal);
  }
}
