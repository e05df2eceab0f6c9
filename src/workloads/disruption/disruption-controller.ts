/** Keeps the status of PodDisruptionBudgets, by which the API server allows evictions or refuses them. */
import {
  deployments,
  type KubeObject,
  matchesSelector,
  type Pod,
  type PodDisruptionBudget,
  podDisruptionBudgets,
  pods,
  replicaSets,
  type ResourceType,
  rollouts,
  statefulSets,
  controllerOf,
} from "#api";
import {
  type Controller,
  createController,
  type Outcome,
  recordEvent,
  type Request,
  settled,
  watching,
} from "#controller";
import { deepEqual } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import { planBudget } from "./plan-budget.ts";

const component = "controllermanager";

interface Scaled extends KubeObject {
  spec?: { replicas?: number };
}

export function createDisruptionController(context: ControllerContext): Controller {
  const { informers, clock, ids, log } = context;
  const budgets = informers.for(podDisruptionBudgets);
  const ofNamespace = (object: KubeObject): Request[] =>
    budgets.list(object.metadata.namespace ?? "").map(({ metadata }) => ({
      namespace: metadata.namespace ?? "",
      name: metadata.name,
    }));
  const ofPod = (pod: Pod): Request[] =>
    ofNamespace(pod).filter(({ namespace, name }) =>
      matchesSelector(budgets.get(namespace, name)?.spec.selector, pod.metadata.labels),
    );
  const scaled = [replicaSets, deployments, statefulSets, rollouts] as unknown as ResourceType<KubeObject>[];
  return createController({
    name: "disruption",
    informers,
    primary: podDisruptionBudgets,
    watches: [watching(pods, ofPod), ...scaled.map((type) => watching(type, ofNamespace))],
    reconcile: (request, signal) => reconcile(context, request, signal),
    clock,
    ids,
    log,
  });
}

async function reconcile(
  context: ControllerContext,
  { namespace, name }: Request,
  signal: AbortSignal,
): Promise<Outcome> {
  const { informers, clock, cluster } = context;
  const budget = informers.for(podDisruptionBudgets).get(namespace, name);
  if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return settled;
  const selected = informers
    .for(pods)
    .list(namespace)
    .filter((pod) => matchesSelector(budget.spec.selector, pod.metadata.labels));
  const nowMs = clock.now().epochMilliseconds;
  const scaleOf = (owner: { kind: string; name: string; uid: string }): number | undefined =>
    wantedReplicas(context, namespace, owner);
  const plan = planBudget({ budget, pods: selected, scaleOf, nowMs });
  if (!deepEqual(plan.status, budget.status)) {
    for (const event of plan.events) {
      await recordEvent({ cluster, clock, component }, podDisruptionBudgets, budget, event, signal);
    }
    // Locked by the version that was seen: an eviction meanwhile has spent of it.
    const next: PodDisruptionBudget = { ...budget, status: plan.status };
    await cluster.updateStatus(podDisruptionBudgets, next, { signal, fieldManager: component });
  }
  if (plan.recheckAtMs === undefined) return settled;
  return { kind: "wait", ms: plan.recheckAtMs - nowMs, reason: "an eviction that was allowed may not have happened" };
}

/** A ReplicaSet's pods are its Deployment's or Rollout's, where it has one. */
function wantedReplicas(
  { informers }: ControllerContext,
  namespace: string,
  { kind, name, uid }: { readonly kind: string; readonly name: string; readonly uid: string },
): number | undefined {
  const find = (type: ResourceType<KubeObject>, wanted: { name: string; uid: string }): Scaled | undefined => {
    const found = informers.for(type).get(namespace, wanted.name);
    return found?.metadata.uid === wanted.uid ? found : undefined;
  };
  if (kind === "StatefulSet") return replicasOf(find(statefulSets, { name, uid }));
  if (kind !== "ReplicaSet") return undefined;
  const set = find(replicaSets, { name, uid });
  const owner = set === undefined ? undefined : controllerOf(set);
  if (owner?.kind === "Deployment") return replicasOf(find(deployments, owner));
  if (owner?.kind === "Rollout") return replicasOf(find(rollouts, owner));
  return replicasOf(set);
}

function replicasOf(object: Scaled | undefined): number | undefined {
  return object === undefined ? undefined : (object.spec?.replicas ?? 1);
}
