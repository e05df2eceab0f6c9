/**
 * What a Deployment needs done: pure. One step at a time; the effect of a step on pods is seen through the ReplicaSets'
 * status, which asks for the next.
 */
import {
  apiVersionOf,
  controllerOf,
  type Deployment,
  deployments,
  matchesSelector,
  type Pod,
  type ReplicaSet,
} from "#api";
import { deepEqual } from "#lib";
import { isEnded } from "../pod-state.ts";
import { type Bounds, boundsOf } from "./bounds.ts";
import { deadlineAtMs, deploymentStatus, type DeploymentStatus, isComplete } from "./deployment-status.ts";
import {
  byAge,
  desiredOf,
  findNew,
  hashLabel,
  maxOf,
  newSetAnnotations,
  revisionAnnotation,
  revisionOf,
  sizeAnnotations,
  templateHash,
  unlabelled,
} from "./revisions.ts";
import { newSize, recreateStep, rollingStep, scaleStep, type SetCounts, type Sizes } from "./scale.ts";

export interface DeploymentObserved {
  readonly deployment: Deployment;
  /** Of the namespace: those it owns or might adopt. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Of the namespace. Only Recreate looks at them. */
  readonly pods: readonly Pod[];
  readonly now: Temporal.Instant;
}

export type DeploymentAction =
  | { readonly kind: "adopt" | "release" | "delete"; readonly replicaSet: ReplicaSet }
  | { readonly kind: "create"; readonly replicaSet: ReplicaSet }
  | {
      readonly kind: "change";
      readonly replicaSet: ReplicaSet;
      readonly replicas?: number;
      readonly annotations?: Readonly<Record<string, string>>;
      readonly minReadySeconds?: number;
    }
  /** The revision on the Deployment itself. */
  | { readonly kind: "mark"; readonly revision: string };

export interface DeploymentPlan {
  readonly actions: readonly DeploymentAction[];
  readonly status: DeploymentStatus;
  readonly wakeAtMs: number | undefined;
}

export function planDeployment(observed: DeploymentObserved): DeploymentPlan {
  const { deployment, now } = observed;
  const { owned, actions } = claim(observed);
  const fresh = findNew(deployment, owned);
  const old = owned.filter((set) => set !== fresh);
  const ending = deployment.metadata.deletionTimestamp !== undefined;
  const steps = ending ? [] : stepsFor(observed, fresh, old);
  const created = steps.find((step) => step.kind === "create")?.replicaSet;
  const input = { deployment, fresh: fresh ?? created, all: owned, created: created !== undefined, now };
  const status = deploymentStatus(input);
  const resting = isComplete(deployment, status) || deployment.spec.paused === true;
  const tidy = ending || !resting ? [] : surplus(deployment, old);
  const wakeAtMs = ending ? undefined : deadlineAtMs(status, deployment.spec.progressDeadlineSeconds);
  return { actions: [...actions, ...steps, ...tidy], status, wakeAtMs };
}

function claim({ deployment, replicaSets }: DeploymentObserved): { owned: ReplicaSet[]; actions: DeploymentAction[] } {
  const owned: ReplicaSet[] = [];
  const actions: DeploymentAction[] = [];
  for (const replicaSet of replicaSets) {
    const owner = controllerOf(replicaSet);
    const matches = matchesSelector(deployment.spec.selector, replicaSet.metadata.labels);
    const gone =
      replicaSet.metadata.deletionTimestamp !== undefined || deployment.metadata.deletionTimestamp !== undefined;
    if (owner === undefined && matches && !gone) actions.push({ kind: "adopt", replicaSet });
    else if (owner?.uid !== deployment.metadata.uid) continue;
    else if (!matches && !gone) {
      actions.push({ kind: "release", replicaSet });
      continue;
    }
    owned.push(replicaSet);
  }
  return { owned, actions };
}

function stepsFor(
  observed: DeploymentObserved,
  fresh: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): DeploymentAction[] {
  const { deployment } = observed;
  const bounds = boundsOf(deployment);
  const rolling = deployment.spec.strategy?.type !== "Recreate";
  const all = [...(fresh === undefined ? [] : [fresh]), ...old];
  const counts = new Map(byAge(all).map((set, age) => [set, countsOf(set, age)]));
  const of = (set: ReplicaSet): SetCounts => counts.get(set) ?? countsOf(set, 0);
  const oldCounts = old.map(of);
  const freshCounts = fresh === undefined ? undefined : of(fresh);
  const scaling = all.some(
    (set) => (set.spec.replicas ?? 0) > 0 && (desiredOf(set) ?? bounds.replicas) !== bounds.replicas,
  );
  const marked = marks(deployment, fresh, old);
  // A ReplicaSet is changed once a round: the second change would be refused, being planned on what the first replaced.
  if (marked.some(({ kind }) => kind === "change")) return marked;
  if (deployment.spec.paused === true || scaling) {
    const sizes = scaleStep(bounds, rolling, freshCounts, all.map(of));
    return [...marked, ...resizes(bounds, all, sizes, true)];
  }
  if (rolling) {
    if (freshCounts === undefined) return [create(deployment, old, newSize(bounds, 0, oldCounts), bounds)];
    return [...marked, ...resizes(bounds, all, rollingStep(bounds, freshCounts, oldCounts), false)];
  }
  const podsLeft = oldPodsLeft(observed, fresh, old);
  const sizes = recreateStep(bounds, freshCounts, oldCounts, podsLeft);
  const waiting = sizes.size > 0 || podsLeft;
  if (fresh === undefined && !waiting) return [create(deployment, old, bounds.replicas, bounds)];
  return [...marked, ...resizes(bounds, all, sizes, false)];
}

function countsOf(set: ReplicaSet, age: number): SetCounts {
  return {
    uid: set.metadata.uid ?? "",
    replicas: set.spec.replicas ?? 0,
    available: set.status?.availableReplicas ?? 0,
    max: maxOf(set),
    desired: desiredOf(set),
    age,
  };
}

/** @param all true to note the new size also on ReplicaSets that keep theirs, after `spec.replicas` changed */
function resizes(bounds: Bounds, sets: readonly ReplicaSet[], sizes: Sizes, all: boolean): DeploymentAction[] {
  const annotations = sizeAnnotations(bounds.replicas, bounds.maxSurge);
  return sets.flatMap((replicaSet): DeploymentAction[] => {
    const replicas = sizes.get(replicaSet.metadata.uid ?? "");
    if (replicas !== undefined) return [{ kind: "change", replicaSet, replicas, annotations }];
    const noted = Object.entries(annotations).every(([key, value]) => replicaSet.metadata.annotations?.[key] === value);
    const active = (replicaSet.spec.replicas ?? 0) > 0;
    return all && active && !noted ? [{ kind: "change", replicaSet, annotations }] : [];
  });
}

/** The new ReplicaSet's revision and copied annotations, then the Deployment's own revision. */
function marks(deployment: Deployment, fresh: ReplicaSet | undefined, old: readonly ReplicaSet[]): DeploymentAction[] {
  if (fresh === undefined) return [];
  const annotations = newSetAnnotations(deployment, fresh, old);
  const actions: DeploymentAction[] = [];
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  const changed = (fresh.spec.minReadySeconds ?? 0) !== minReadySeconds ? { minReadySeconds } : {};
  if (!deepEqual(annotations, fresh.metadata.annotations ?? {}) || "minReadySeconds" in changed) {
    actions.push({ kind: "change", replicaSet: fresh, annotations, ...changed });
  }
  const revision = annotations[revisionAnnotation];
  if (revision !== undefined && deployment.metadata.annotations?.[revisionAnnotation] !== revision) {
    actions.push({ kind: "mark", revision });
  }
  return actions;
}

function create(
  deployment: Deployment,
  old: readonly ReplicaSet[],
  replicas: number,
  bounds: Bounds,
): DeploymentAction {
  const hash = templateHash(deployment.spec.template, deployment.status?.collisionCount);
  const { name, namespace = "", uid = "" } = deployment.metadata;
  const template = structuredClone(unlabelled(deployment.spec.template));
  const labels = { ...template.metadata?.labels, [hashLabel]: hash };
  const { selector, minReadySeconds } = deployment.spec;
  const owner = { apiVersion: apiVersionOf(deployments), kind: "Deployment", name, uid };
  const replicaSet: ReplicaSet = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: {
        ...newSetAnnotations(deployment, undefined, old),
        ...sizeAnnotations(bounds.replicas, bounds.maxSurge),
      },
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      replicas,
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  return { kind: "create", replicaSet };
}

/** Recreate waits until the last pod of an old revision is gone, not only asked to go. */
function oldPodsLeft({ pods }: DeploymentObserved, fresh: ReplicaSet | undefined, old: readonly ReplicaSet[]): boolean {
  const uids = new Set(old.map((set) => set.metadata.uid));
  return pods.some((pod) => {
    const owner = controllerOf(pod)?.uid;
    return owner !== undefined && owner !== fresh?.metadata.uid && uids.has(owner) && !isEnded(pod);
  });
}

/** Old revisions beyond `revisionHistoryLimit`, oldest first, that hold no pods. */
function surplus(deployment: Deployment, old: readonly ReplicaSet[]): DeploymentAction[] {
  const present = old.filter((set) => set.metadata.deletionTimestamp === undefined);
  const count = present.length - (deployment.spec.revisionHistoryLimit ?? 10);
  if (count <= 0) return [];
  return present
    .toSorted((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, count)
    .filter(({ spec, status, metadata }) => {
      const seen = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
      return (spec.replicas ?? 0) === 0 && (status?.replicas ?? 0) === 0 && seen;
    })
    .map((replicaSet) => ({ kind: "delete", replicaSet }));
}
