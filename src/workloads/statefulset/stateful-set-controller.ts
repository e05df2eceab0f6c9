/** Brings each StatefulSet's pods, with their names and claims, to its template. */
import {
  type ControllerRevision,
  controllerOf,
  controllerRevisions,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  type Pod,
  pods,
  type StatefulSet,
  statefulSets,
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
import { isKubeError } from "#kube";
import { deepEqual, errorMessage } from "#lib";
import type { ControllerContext } from "../controller-context.ts";
import { claim } from "../pods/claim.ts";
import type { OwnWrites } from "../pods/own-writes.ts";
import {
  changePodOwner,
  createPods,
  deletePods,
  patchPod,
  type PodHolder,
  tell,
  type WriteFailure,
} from "../pods/pod-writes.ts";
import { keepHistory, type KeptHistory, removeRevisions } from "../revisions/keep-history.ts";
import { revisionHashLabel, surplusRevisions, templateOf } from "../revisions/plan-revisions.ts";
import { writeStatus } from "../write-status.ts";
import { ordinalOf, type PodRevision } from "./identity.ts";
import { planStatefulSet, type StatefulSetAction, type StatefulSetPlan } from "./plan-stateful-set.ts";

interface Scope extends PodHolder<StatefulSet> {
  readonly revisions: OwnWrites<ControllerRevision>;
  readonly claims: OwnWrites<PersistentVolumeClaim>;
}

export function createStatefulSetController(
  context: ControllerContext,
  written: Pick<Scope, "pods" | "revisions" | "claims">,
): Controller {
  const sets = context.informers.for(statefulSets);
  const component = "statefulset-controller";
  const scope: Scope = { context, type: statefulSets, component, words, ...written };
  const setsOf = (namespace: string): readonly Request[] =>
    sets.list(namespace).map(({ metadata }) => ({ namespace, name: metadata.name }));
  const orphanOwners = (pod: Pod): readonly Request[] =>
    controllerOf(pod) === undefined ? setsOf(pod.metadata.namespace ?? "") : [];
  return createController({
    ...context,
    name: component,
    primary: statefulSets,
    watches: [
      watching(pods, requestsOfOwner("StatefulSet")),
      watching(pods, orphanOwners),
      watching(controllerRevisions, requestsOfOwner("StatefulSet")),
      // A pod waits for a claim that goes away.
      watching(persistentVolumeClaims, ({ metadata }) =>
        setsOf(metadata.namespace ?? "").filter(({ name }) => metadata.name.includes(`-${name}-`)),
      ),
    ],
    async reconcile({ namespace, name }, signal) {
      const set = sets.get(namespace, name);
      // One that is going makes nothing any more, also no revisions: whoever waits for those to be gone would wait for ever.
      if (set === undefined || set.metadata.deletionTimestamp !== undefined) return settled;
      return await reconcile(scope, set, signal);
    },
  });
}

function words(verb: "create" | "delete", pod: Pod, set: StatefulSet, error: string | undefined): string {
  const what = `${verb} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
  return error === undefined ? `${what} successful` : `${what} failed error: ${error}`;
}

async function reconcile(scope: Scope, set: StatefulSet, signal: AbortSignal): Promise<Outcome> {
  const { context } = scope;
  const { namespace = "" } = set.metadata;
  const claims = claim(set, set.spec.selector, scope.pods.list(namespace), (pod) => ordinalOf(set, pod) !== undefined);
  for (const pod of claims.adopt) await changePodOwner(scope, set, pod, "adopt", signal);
  for (const pod of claims.release) await changePodOwner(scope, set, pod, "release", signal);
  const collisionCount = set.status?.collisionCount;
  const history = await keepHistory(
    context,
    scope.revisions,
    { type: statefulSets, owner: set, collisionCount },
    signal,
  );
  const plan = planOf(scope, set, history);
  let failure: WriteFailure | undefined;
  for (const action of plan.actions) failure ??= await act(scope, set, action, signal);
  // What was just written changes the counts: read them again rather than tell yesterday's.
  const after = plan.actions.length === 0 ? plan : planOf(scope, set, history);
  if (!deepEqual(after.status, set.status)) {
    await writeStatus(context.cluster, statefulSets, { ...set, status: after.status }, signal);
  }
  await truncate(scope, set, history, signal);
  if (failure !== undefined) throw new Error(failure.message);
  const wait = (after.wakeAtMs ?? 0) - context.clock.now().epochMilliseconds;
  return after.wakeAtMs === undefined ? settled : { kind: "wait", ms: wait, reason: "a pod becomes available then" };
}

function ownPods(scope: Scope, set: StatefulSet): readonly Pod[] {
  const all = scope.pods.list(set.metadata.namespace ?? "");
  return claim(set, set.spec.selector, all, (pod) => ordinalOf(set, pod) !== undefined).owned;
}

function planOf(scope: Scope, set: StatefulSet, { update, revisions, collisionCount }: KeptHistory): StatefulSetPlan {
  const current = revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
  return planStatefulSet({
    set,
    pods: ownPods(scope, set),
    claims: scope.claims.list(set.metadata.namespace ?? ""),
    current: podRevision(set, current),
    update: podRevision(set, update),
    collisionCount,
    nowMs: scope.context.clock.now().epochMilliseconds,
  });
}

function podRevision(set: StatefulSet, revision: ControllerRevision): PodRevision {
  return { name: revision.metadata.name, template: templateOf(revision) ?? set.spec.template };
}

async function truncate(
  scope: Scope,
  set: StatefulSet,
  { update, revisions }: KeptHistory,
  signal: AbortSignal,
): Promise<void> {
  const live = new Set([update.metadata.name, set.status?.currentRevision]);
  for (const { metadata } of ownPods(scope, set)) live.add(metadata.labels?.[revisionHashLabel]);
  const surplus = surplusRevisions(
    revisions,
    ({ metadata }) => live.has(metadata.name),
    set.spec.revisionHistoryLimit ?? 10,
  );
  await removeRevisions(scope.context, scope.revisions, surplus, signal);
}

async function act(
  scope: Scope,
  set: StatefulSet,
  action: StatefulSetAction,
  signal: AbortSignal,
): Promise<WriteFailure | undefined> {
  switch (action.kind) {
    case "create":
      await createClaims(scope, set, action.pod, action.claims, signal);
      return await createPods(scope, set, [action.pod], signal);
    case "claims":
      await createClaims(scope, set, action.pod, action.claims, signal);
      return undefined;
    case "delete":
      return await deletePods(scope, set, [action.pod], signal);
    case "label":
      await patchPod(scope, action.pod, { labels: action.labels }, signal);
      return undefined;
    case "owners": {
      const { namespace = "", name, uid, resourceVersion } = action.claim.metadata;
      const patch = { metadata: { uid, resourceVersion, ownerReferences: action.owners } };
      const key = { namespace, name };
      scope.claims.written(
        await scope.context.cluster.patch(persistentVolumeClaims, key, { type: "merge", patch }, { signal }),
      );
      return undefined;
    }
  }
}

async function createClaims(
  scope: Scope,
  set: StatefulSet,
  pod: Pod,
  wanted: readonly PersistentVolumeClaim[],
  signal: AbortSignal,
): Promise<void> {
  for (const one of wanted) {
    const what = `Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`;
    try {
      scope.claims.written(await scope.context.cluster.create(persistentVolumeClaims, one, { signal }));
      const message = `create Claim ${one.metadata.name} ${what} success`;
      await tell(scope, set, { type: "Normal", reason: "SuccessfulCreate", message }, signal);
    } catch (error) {
      if (isKubeError(error, "AlreadyExists")) continue;
      signal.throwIfAborted();
      const message = `create Claim ${one.metadata.name} for ${what} failed error: ${errorMessage(error)}`;
      await tell(scope, set, { type: "Warning", reason: "FailedCreate", message }, signal);
      throw error;
    }
  }
}
