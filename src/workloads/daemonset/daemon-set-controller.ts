/** Keeps one pod of each DaemonSet on each node that it is for. */
import {
  type ControllerRevision,
  controllerOf,
  controllerRevisions,
  type DaemonSet,
  daemonSets,
  nodes,
  type Pod,
  pods,
} from "#api";
import {
  type Controller,
  createController,
  type Outcome,
  type Request,
  requestsOfOwner,
  settled,
  watching,
} from "#controller";
import { backoffDelayMs, type Backoff, deepEqual } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import { claim } from "../pods/claim.ts";
import type { OwnWrites } from "../pods/own-writes.ts";
import {
  changePodOwner,
  createPods,
  deletePods,
  generatedNames,
  type PodHolder,
  tell,
  type WriteFailure,
} from "../pods/pod-writes.ts";
import { keepHistory, type KeptHistory, removeRevisions } from "../revisions/keep-history.ts";
import { hashOf, revisionHashLabel, surplusRevisions } from "../revisions/plan-revisions.ts";
import { writeStatus } from "../write-status.ts";
import { daemonPodOf } from "./daemon-pod.ts";
import type { DaemonSetAction, DaemonSetPlan } from "./daemon-set-state.ts";
import { planDaemonSet } from "./plan-daemon-set.ts";

/** A pod that fails again and again is not made anew at once each time. */
const failedPods: Backoff = { initialMs: 1000, factor: 2, maxMs: 15 * 60_000, jitter: 0 };

interface Scope extends PodHolder<DaemonSet> {
  readonly revisions: OwnWrites<ControllerRevision>;
  /** By set and node; in memory only: after a restart the first failure is answered at once. */
  readonly backOffs: Map<string, { readonly failures: number; readonly untilMs: number }>;
}

export function createDaemonSetController(
  context: ControllerContext,
  written: Pick<Scope, "pods" | "revisions">,
): Controller {
  const sets = context.informers.for(daemonSets);
  const component = "daemonset-controller";
  const scope: Scope = { context, type: daemonSets, component, backOffs: new Map(), ...written };
  const requestOf = ({ metadata }: DaemonSet): Request => ({
    namespace: metadata.namespace ?? "",
    name: metadata.name,
  });
  return createController({
    ...context,
    name: component,
    primary: daemonSets,
    watches: [
      watching(pods, requestsOfOwner("DaemonSet")),
      watching(pods, (pod) =>
        controllerOf(pod) === undefined ? sets.list(pod.metadata.namespace ?? "").map(requestOf) : [],
      ),
      watching(nodes, () => sets.list().map(requestOf)),
      watching(controllerRevisions, requestsOfOwner("DaemonSet")),
    ],
    async reconcile({ namespace, name }, signal) {
      const set = sets.get(namespace, name);
      if (set === undefined || set.metadata.deletionTimestamp !== undefined) return settled;
      return await reconcile(scope, set, signal);
    },
  });
}

async function reconcile(scope: Scope, set: DaemonSet, signal: AbortSignal): Promise<Outcome> {
  const { context } = scope;
  const { selector } = set.spec;
  if (Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions ?? []).length === 0) {
    const message = "This daemon set is selecting all pods. A non-empty selector is required.";
    await tell(scope, set, { type: "Warning", reason: "SelectingAll", message }, signal);
    return settled;
  }
  const claims = claim(set, selector, scope.pods.list(set.metadata.namespace ?? ""));
  for (const pod of claims.adopt) await changePodOwner(scope, set, pod, "adopt", signal);
  for (const pod of claims.release) await changePodOwner(scope, set, pod, "release", signal);
  const collisionCount = set.status?.collisionCount;
  const history = await keepHistory(context, scope.revisions, { type: daemonSets, owner: set, collisionCount }, signal);
  const plan = planOf(scope, set, history);
  let failure: WriteFailure | undefined;
  for (const action of plan.actions) failure ??= await act(scope, set, hashOf(history.update), action, signal);
  // What was just written changes the counts: read them again rather than tell yesterday's.
  const after = plan.actions.length === 0 ? plan : planOf(scope, set, history);
  const collisions = history.collisionCount === undefined ? {} : { collisionCount: history.collisionCount };
  const status = { ...after.status, ...collisions };
  if (!deepEqual(status, set.status)) {
    await writeStatus(context.cluster, daemonSets, { ...set, status }, signal);
  }
  await truncate(scope, set, history, signal);
  if (failure !== undefined) throw new Error(failure.message);
  const wait = (after.wakeAtMs ?? 0) - context.clock.now().epochMilliseconds;
  return after.wakeAtMs === undefined ? settled : { kind: "wait", ms: wait, reason: "a pod is due then" };
}

function ownPods(scope: Scope, set: DaemonSet): readonly Pod[] {
  return claim(set, set.spec.selector, scope.pods.list(set.metadata.namespace ?? "")).owned;
}

function planOf(scope: Scope, set: DaemonSet, { update }: KeptHistory): DaemonSetPlan {
  const { informers, clock } = scope.context;
  const all = informers.for(nodes).list();
  const backOffs = all.map(({ metadata }): [string, number] => [
    metadata.name,
    scope.backOffs.get(backOffKey(set, metadata.name))?.untilMs ?? 0,
  ]);
  return planDaemonSet({
    set,
    nodes: all,
    pods: ownPods(scope, set),
    hash: hashOf(update),
    backingOff: new Map(backOffs),
    nowMs: clock.now().epochMilliseconds,
  });
}

function backOffKey(set: DaemonSet, node: string): string {
  return `${set.metadata.uid}/${set.metadata.generation}/${node}`;
}

async function truncate(
  scope: Scope,
  set: DaemonSet,
  { update, revisions }: KeptHistory,
  signal: AbortSignal,
): Promise<void> {
  const live = new Set([
    hashOf(update),
    ...ownPods(scope, set).map(({ metadata }) => metadata.labels?.[revisionHashLabel]),
  ]);
  const limit = set.spec.revisionHistoryLimit ?? 10;
  const surplus = surplusRevisions(revisions, (revision) => live.has(hashOf(revision)), limit);
  await removeRevisions(scope.context, scope.revisions, surplus, signal);
}

async function act(
  scope: Scope,
  set: DaemonSet,
  hash: string,
  action: DaemonSetAction,
  signal: AbortSignal,
): Promise<WriteFailure | undefined> {
  switch (action.kind) {
    case "create": {
      const names = (): ReturnType<typeof generatedNames> => generatedNames(scope.context, `${set.metadata.name}-`);
      const wanted = action.nodes.map((node) => daemonPodOf(set, hash, node, names()));
      return await createPods(scope, set, wanted, signal);
    }
    case "delete":
      return await deletePods(scope, set, action.pods, signal);
    case "replace": {
      const key = backOffKey(set, action.node);
      const failures = scope.backOffs.get(key)?.failures ?? 0;
      const untilMs = scope.context.clock.now().epochMilliseconds + backoffDelayMs(failedPods, failures, 0);
      if (action.text.type === "Warning") scope.backOffs.set(key, { failures: failures + 1, untilMs });
      await tell(scope, set, action.text, signal);
      return await deletePods(scope, set, [action.pod], signal);
    }
  }
}
