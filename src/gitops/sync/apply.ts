/** Brings single objects into the cluster. The only place of this room that writes objects of Applications. */
import { namespaces, type AnyObject, type ResourceIgnoreDifferences, type ResourceType } from "#api";
import { isObject } from "#lib";
import { isKubeError, type Cluster, type PropagationPolicy } from "#kube";
import { predict, withLastApplied } from "../diff/compare-object.ts";
import { ignoredPointers } from "../diff/ignore-differences.ts";
import { mergePatchBetween } from "../diff/merge-patch.ts";

export const fieldManager = "argocd-controller";

export interface ApplyOptions {
  readonly dryRun?: boolean;
  /** PUT instead of a patch: fields of others go. */
  readonly replace?: boolean;
  /** When the server refuses a change of an immutable field: delete and create anew. */
  readonly force?: boolean;
  /** Fields to leave as they are (RespectIgnoreDifferences). */
  readonly respect?: readonly ResourceIgnoreDifferences[];
  readonly signal: AbortSignal;
}

export interface Applied {
  readonly object: AnyObject;
  readonly change: "created" | "configured" | "unchanged" | "replaced";
}

const mostConflicts = 5;

/** Creates the object, or changes exactly the fields that the three-way merge says; others' changes in between are read anew. */
export async function applyObject(
  cluster: Cluster,
  type: ResourceType,
  target: AnyObject,
  options: ApplyOptions,
): Promise<Applied> {
  for (let attempt = 1; ; attempt++) {
    try {
      const live = await cluster.get<AnyObject>(type, placeOf(target), { signal: options.signal });
      if (live === undefined) return { object: await createObject(cluster, type, target, options), change: "created" };
      return await changeObject(cluster, type, target, live, options);
    } catch (error) {
      const raced = isKubeError(error, "Conflict") || isKubeError(error, "AlreadyExists");
      if (!raced || attempt === mostConflicts) throw error;
    }
  }
}

/** What the object would be; undefined when applying would change nothing. */
export function applyPatch(
  target: AnyObject,
  live: AnyObject,
  respect: readonly ResourceIgnoreDifferences[] = [],
): unknown {
  const predicted = predict(withLastApplied(target), live);
  const kept = respect.length === 0 ? predicted : withLiveFields(predicted, live, ignoredPointers(live, respect));
  return mergePatchBetween(live, kept);
}

async function createObject(
  cluster: Cluster,
  type: ResourceType,
  target: AnyObject,
  options: ApplyOptions,
): Promise<AnyObject> {
  return await cluster.create<AnyObject>(type, structuredClone(withLastApplied(target)), write(options));
}

async function changeObject(
  cluster: Cluster,
  type: ResourceType,
  target: AnyObject,
  live: AnyObject,
  options: ApplyOptions,
): Promise<Applied> {
  if (options.replace === true) return await replaceObject(cluster, type, target, live, options);
  const patch = applyPatch(target, live, options.respect);
  if (patch === undefined) return { object: live, change: "unchanged" };
  const locked = withLock(patch, live);
  try {
    const object = await cluster.patch<AnyObject>(
      type,
      placeOf(target),
      { type: "merge", patch: locked },
      write(options),
    );
    return {
      object,
      change: object.metadata.resourceVersion === live.metadata.resourceVersion ? "unchanged" : "configured",
    };
  } catch (error) {
    if (options.force !== true || options.dryRun === true || !isKubeError(error, "Invalid")) throw error;
    await cluster.delete(type, placeOf(target), { signal: options.signal, propagationPolicy: "Background" });
    return { object: await createObject(cluster, type, target, options), change: "replaced" };
  }
}

async function replaceObject(
  cluster: Cluster,
  type: ResourceType,
  target: AnyObject,
  live: AnyObject,
  options: ApplyOptions,
): Promise<Applied> {
  const next = structuredClone(withLastApplied(target));
  if (live.metadata.resourceVersion !== undefined) next.metadata.resourceVersion = live.metadata.resourceVersion;
  return { object: await cluster.update<AnyObject>(type, next, write(options)), change: "replaced" };
}

/** The version we computed the patch from: lists are sent whole, so a change in between must not be overwritten. */
function withLock(patch: unknown, live: AnyObject): unknown {
  if (!isObject(patch)) return patch;
  const metadata = isObject(patch["metadata"]) ? patch["metadata"] : {};
  return { ...patch, metadata: { ...metadata, resourceVersion: live.metadata.resourceVersion } };
}

function withLiveFields(predicted: AnyObject, live: AnyObject, pointers: readonly string[]): AnyObject {
  const result = structuredClone(predicted);
  for (const pointer of pointers) {
    const parts = pointer
      .split("/")
      .slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = parts.pop();
    const from = valueAt(live, parts);
    const to = valueAt(result, parts);
    if (last === undefined || !isObject(to)) continue;
    if (isObject(from) && from[last] !== undefined) to[last] = from[last];
    else delete to[last];
  }
  return result;
}

function valueAt(value: unknown, parts: readonly string[]): unknown {
  let found = value;
  for (const part of parts)
    found = Array.isArray(found) ? found[Number(part)] : isObject(found) ? found[part] : undefined;
  return found;
}

/** True when the object is gone now; false when it waits for finalizers or its own pods. */
export async function deleteObject(
  cluster: Cluster,
  type: ResourceType,
  live: AnyObject,
  policy: PropagationPolicy,
  signal: AbortSignal,
): Promise<boolean> {
  const { uid } = live.metadata;
  try {
    const preconditions = uid === undefined ? {} : { preconditions: { uid } };
    await cluster.delete(type, placeOf(live), { signal, propagationPolicy: policy, ...preconditions });
  } catch (error) {
    // Gone, or another object of the same name by now: either way ours is no more.
    if (isKubeError(error, "NotFound") || isKubeError(error, "Conflict")) return true;
    throw error;
  }
  return (await cluster.get(type, placeOf(live), { signal })) === undefined;
}

export async function ensureNamespace(
  cluster: Cluster,
  name: string,
  metadata: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> },
  signal: AbortSignal,
): Promise<void> {
  if ((await cluster.get(namespaces, { name }, { signal })) !== undefined) return;
  try {
    const object = { apiVersion: "v1", kind: "Namespace", metadata: { name, ...structuredClone(metadata) } };
    await cluster.create(namespaces, object, { signal, fieldManager });
  } catch (error) {
    if (!isKubeError(error, "AlreadyExists")) throw error;
  }
}

function write({ dryRun, signal }: ApplyOptions): { fieldManager: string; dryRun?: boolean; signal: AbortSignal } {
  return { fieldManager, signal, ...(dryRun === true ? { dryRun } : {}) };
}

function placeOf({ metadata }: AnyObject): { name: string; namespace?: string } {
  return { name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) };
}
