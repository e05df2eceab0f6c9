/** The history of a StatefulSet or DaemonSet as ControllerRevisions: pure. `kubectl rollout history` and `undo` read it. */
import {
  type ControllerRevision,
  controllerRevisions,
  apiVersionOf,
  type KubeObject,
  type PodTemplateSpec,
  type ResourceType,
} from "#api";
import { canonicalJson, deepEqual, fnv1a32, isObject, safeEncode } from "#lib";
import { ownerReference } from "../pods/owner-reference.ts";

/** On pods: which revision they are of. */
export const revisionHashLabel = "controller-revision-hash";
/** On revisions of StatefulSets. */
const hashLabel = "controller.kubernetes.io/hash";

export interface HistoryObserved {
  readonly type: ResourceType<KubeObject>;
  readonly owner: KubeObject;
  readonly template: PodTemplateSpec;
  /** Those it owns. */
  readonly revisions: readonly ControllerRevision[];
  readonly collisionCount: number | undefined;
}

export type HistoryPlan =
  | { readonly kind: "present"; readonly revision: ControllerRevision }
  /** A template that came back (`kubectl rollout undo`) takes the newest number. */
  | { readonly kind: "renumber"; readonly revision: ControllerRevision; readonly number: number }
  | { readonly kind: "create"; readonly revision: ControllerRevision };

export function planHistory(observed: HistoryObserved): HistoryPlan {
  const ordered = oldestFirst(observed.revisions);
  const newest = ordered.at(-1);
  const data = patchOf(observed.template);
  const number = (newest?.revision ?? 0) + 1;
  const equal = ordered.findLast((revision) => deepEqual(revision.data, data));
  if (equal === undefined) return { kind: "create", revision: revisionOf(observed, data, number) };
  return equal === newest ? { kind: "present", revision: equal } : { kind: "renumber", revision: equal, number };
}

function oldestFirst(revisions: readonly ControllerRevision[]): ControllerRevision[] {
  return revisions.toSorted((a, b) => a.revision - b.revision || (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** The strategic merge patch that brings the template back: what `kubectl rollout undo` sends. */
function patchOf(template: PodTemplateSpec): unknown {
  return { spec: { template: { ...template, $patch: "replace" } } };
}

/** The template that a revision stands for; undefined for one that somebody made by hand of something else. */
export function templateOf({ data }: ControllerRevision): PodTemplateSpec | undefined {
  const spec = isObject(data) ? data["spec"] : undefined;
  const template = isObject(spec) ? spec["template"] : undefined;
  if (!isObject(template)) return undefined;
  const { $patch: _, ...rest } = template;
  return rest as unknown as PodTemplateSpec;
}

/** Its name without the owner's. */
export function hashOf({ metadata }: ControllerRevision): string {
  return metadata.labels?.[revisionHashLabel] ?? metadata.labels?.[hashLabel] ?? metadata.name;
}

function revisionOf(observed: HistoryObserved, data: unknown, number: number): ControllerRevision {
  const { type, owner, template, collisionCount = 0 } = observed;
  const { name, namespace = "", annotations = {} } = owner.metadata;
  const suffix = collisionCount === 0 ? "" : `\n${collisionCount}`;
  const hash = safeEncode(String(fnv1a32(canonicalJson(data) + suffix)));
  const { "kubectl.kubernetes.io/last-applied-configuration": _, ...kept } = annotations;
  return {
    apiVersion: apiVersionOf(controllerRevisions),
    kind: "ControllerRevision",
    metadata: {
      // Upstream cuts so that name and hash together stay a valid name.
      name: `${name.slice(0, 223)}-${hash}`,
      namespace,
      labels: { ...template.metadata?.labels, [hashLabel]: hash, [revisionHashLabel]: hash },
      annotations: kept,
      ownerReferences: [ownerReference(type, owner)],
    },
    data,
    revision: number,
  };
}

/** Revisions beyond the limit, oldest first, that neither the owner nor a pod is of. */
export function surplusRevisions(
  revisions: readonly ControllerRevision[],
  isLive: (revision: ControllerRevision) => boolean,
  limit: number,
): ControllerRevision[] {
  const history = oldestFirst(revisions).filter((revision) => !isLive(revision));
  return history.slice(0, Math.max(0, history.length - limit));
}
