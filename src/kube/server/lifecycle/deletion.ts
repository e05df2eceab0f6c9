/** What a delete request does to an object. Pure. */
import type { AnyObject, Pod } from "#api";
import { toTimestamp } from "#lib";
import type { PropagationPolicy } from "../../client/cluster.ts";
import type { ServedKind } from "../registry/served-kind.ts";

export const foregroundFinalizer = "foregroundDeletion";
export const orphanFinalizer = "orphan";

export interface DeletionRequest {
  readonly propagationPolicy: PropagationPolicy;
  readonly gracePeriodSeconds: number | undefined;
}

/**
 * remove: nothing holds the object. mark: it stays, with a deletionTimestamp, until finalizers or its runner let go.
 * wait: it is already marked that way.
 */
export type Deletion = { readonly kind: "remove" | "wait" } | { readonly kind: "mark"; readonly object: AnyObject };

export function planDeletion(
  kind: ServedKind,
  object: AnyObject,
  request: DeletionRequest,
  now: Temporal.Instant,
): Deletion {
  const finalizers = nextFinalizers(kind, object, request.propagationPolicy);
  const grace = graceSeconds(kind, object, request.gracePeriodSeconds);
  const holdsNamespace = kind.resource === "namespaces";
  if (finalizers.length === 0 && grace === 0 && !holdsNamespace) return { kind: "remove" };
  const marked = markDeleted(kind, object, grace, now);
  if (finalizers.length > 0) marked.metadata.finalizers = finalizers;
  else delete marked.metadata.finalizers;
  if (holdsNamespace) marked["status"] = { ...(object["status"] as object | undefined), phase: "Terminating" };
  return same(object, marked) ? { kind: "wait" } : { kind: "mark", object: marked };
}

/** Whether an object that is marked for deletion may go now. Namespaces go by their drain instead. */
export function isReleased(kind: ServedKind, object: AnyObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || finalizers.length > 0 || kind.resource === "namespaces") return false;
  return (deletionGracePeriodSeconds ?? 0) === 0;
}

function nextFinalizers(kind: ServedKind, object: AnyObject, policy: PropagationPolicy): string[] {
  const others = (object.metadata.finalizers ?? []).filter(
    (finalizer) => finalizer !== foregroundFinalizer && finalizer !== orphanFinalizer,
  );
  if (kind.resource === "namespaces") return object.metadata.finalizers ?? [];
  if (policy === "Foreground") return [...others, foregroundFinalizer];
  if (policy === "Orphan") return [...others, orphanFinalizer];
  return others;
}

/** Only pods have grace: a pod nobody runs, or that has ended, needs none. */
function graceSeconds(kind: ServedKind, object: AnyObject, asked: number | undefined): number {
  if (kind.resource !== "pods") return 0;
  const { spec, status } = object as Partial<Pod>;
  if (spec?.nodeName === undefined || spec.nodeName === "") return 0;
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return 0;
  const wanted = Math.max(0, asked ?? spec.terminationGracePeriodSeconds ?? 30);
  const already = object.metadata.deletionGracePeriodSeconds;
  // Grace can be shortened, never lengthened.
  return already === undefined ? wanted : Math.min(already, wanted);
}

function markDeleted(kind: ServedKind, object: AnyObject, grace: number, now: Temporal.Instant): AnyObject {
  const marked = structuredClone(object);
  const { metadata } = marked;
  if (metadata.deletionTimestamp === undefined && kind.generation !== false)
    metadata.generation = (metadata.generation ?? 0) + 1;
  if (metadata.deletionTimestamp === undefined || metadata.deletionGracePeriodSeconds !== grace) {
    // Upstream: the moment by which the object is to be gone, not that of the request.
    metadata.deletionTimestamp = toTimestamp(now.add({ seconds: grace }));
    metadata.deletionGracePeriodSeconds = grace;
  }
  return marked;
}

function same(a: AnyObject, b: AnyObject): boolean {
  return (
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    a.metadata.deletionGracePeriodSeconds === b.metadata.deletionGracePeriodSeconds &&
    JSON.stringify(a.metadata.finalizers ?? []) === JSON.stringify(b.metadata.finalizers ?? [])
  );
}
