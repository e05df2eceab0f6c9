/** From what a client sent to what is stored: the pure middle of every write. */
import type { AnyObject } from "#api";
import { deepEqual, hasErrors, type Problem } from "#lib";
import type { ServedKind } from "../registry/served-kind.ts";
import { cannotDecode, conflict, forbidden, invalid, modifiedMeanwhile } from "../refusals.ts";
import { recordWrite } from "./managed-fields.ts";
import { metadataProblems } from "./metadata-rules.ts";
import { fitToKind } from "./fit-to-kind.ts";
import type { WriteRequest } from "./write-request.ts";

export interface Birth {
  readonly uid: string;
  readonly time: string;
  /** Appended to generateName. */
  readonly suffix: string;
}

/** What a new object is stored as. `object` is the caller's to give away. Throws when it must not be created. */
export function prepareCreate(kind: ServedKind, object: AnyObject, request: WriteRequest, birth: Birth): AnyObject {
  const { metadata } = object;
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== "") {
    throw cannotDecode(kind.type, "resourceVersion should not be set on objects to be created");
  }
  delete metadata.resourceVersion;
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.generation;
  // The typed view says there is always a name; a body may leave it to generateName.
  const name = (metadata as Partial<typeof metadata>).name ?? "";
  if (name === "" && (metadata.generateName ?? "") !== "") {
    // Names are cut so that the suffix always fits (upstream: 63 characters in all).
    metadata.name = `${(metadata.generateName ?? "").slice(0, 58)}${birth.suffix}`;
  } else metadata.name = name;
  if (metadata.name === "") {
    throw invalid(kind.type, "", [
      { path: "metadata.name", message: "Required value: name or generateName is required" },
    ]);
  }
  metadata.uid = birth.uid;
  metadata.creationTimestamp = birth.time;
  if (kind.status) delete object["status"];
  if (kind.generation) metadata.generation = 1;
  finish(kind, object, undefined, request);
  metadata.managedFields = recordWrite(kind, object, request, birth.time);
  return object;
}

/**
 * What replaces `old`, or `old` itself when nothing would change. `sent` is the caller's to give away; it may leave out
 * uid and resourceVersion, but where it has them they must be those of `old`.
 */
export function prepareUpdate(
  kind: ServedKind,
  old: AnyObject,
  sent: AnyObject,
  request: WriteRequest,
  time: string,
): AnyObject {
  checkLocks(kind, old, sent);
  const object = request.subresource === "status" ? statusOnly(old, sent) : sent;
  keepSystemFields(kind, old, object);
  if (kind.status && request.subresource !== "status") keepStatus(old, object);
  checkFinalizers(kind, old, object);
  finish(kind, object, old, request);
  if (kind.generation && !deepEqual(specOf(kind, old), specOf(kind, object))) {
    object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  }
  if (deepEqual(old, object)) return old;
  if (deepEqual(old.metadata.managedFields, object.metadata.managedFields)) {
    object.metadata.managedFields = recordWrite(kind, object, request, time);
  }
  return object;
}

function finish(kind: ServedKind, object: AnyObject, old: AnyObject | undefined, request: WriteRequest): void {
  const broken = fitToKind(kind, object, request);
  let problems: readonly Problem[];
  try {
    // Definitions may count on what their schema requires.
    if (broken.length === 0) kind.setDefaults?.(object);
    const own = broken.length === 0 ? (kind.validate?.(object, old) ?? []) : broken;
    problems = [...metadataProblems(kind, object), ...own];
  } catch (error) {
    // Definitions are written against the kind's type; a body of another shape makes them trip over it.
    if (!(error instanceof TypeError)) throw error;
    throw cannotDecode(kind.type, `a field has the wrong type: ${error.message}`);
  }
  if (hasErrors(problems)) {
    throw invalid(
      kind.type,
      object.metadata.name,
      problems.filter((problem) => problem.severity !== "warning"),
    );
  }
  for (const { path, message } of problems) request.warn(path === "" ? message : `${path}: ${message}`);
}

function checkLocks(kind: ServedKind, old: AnyObject, sent: AnyObject): void {
  const { name, uid, resourceVersion } = sent.metadata;
  if (uid !== undefined && uid !== "" && uid !== old.metadata.uid) {
    throw conflict(
      kind.type,
      name,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== "" && resourceVersion !== old.metadata.resourceVersion) {
    throw modifiedMeanwhile(kind.type, name);
  }
}

function statusOnly(old: AnyObject, sent: AnyObject): AnyObject {
  const object = structuredClone(old);
  if (sent["status"] === undefined) delete object["status"];
  else object["status"] = sent["status"];
  const { managedFields } = sent.metadata;
  if (managedFields !== undefined) object.metadata.managedFields = managedFields;
  return object;
}

function keepStatus(old: AnyObject, object: AnyObject): void {
  if (old["status"] === undefined) delete object["status"];
  else object["status"] = structuredClone(old["status"]);
}

const systemFields = [
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "generateName",
] as const;

function keepSystemFields(kind: ServedKind, old: AnyObject, object: AnyObject): void {
  const kept = old.metadata as unknown as Record<string, unknown>;
  const metadata = object.metadata as unknown as Record<string, unknown>;
  for (const field of systemFields) {
    if (kept[field] === undefined) delete metadata[field];
    else metadata[field] = kept[field];
  }
  metadata["name"] = kept["name"];
  if (kind.type.namespaced) metadata["namespace"] = kept["namespace"];
  else delete metadata["namespace"];
  // Clients that know nothing of managedFields leave them out; that must not forget the others.
  if (metadata["managedFields"] === undefined && kept["managedFields"] !== undefined) {
    metadata["managedFields"] = structuredClone(kept["managedFields"]);
  }
}

function checkFinalizers(kind: ServedKind, old: AnyObject, object: AnyObject): void {
  if (old.metadata.deletionTimestamp === undefined) return;
  const before = old.metadata.finalizers ?? [];
  const added = (object.metadata.finalizers ?? []).filter((finalizer) => !before.includes(finalizer));
  if (added.length === 0) return;
  throw invalid(kind.type, object.metadata.name, [
    {
      path: "metadata.finalizers",
      message: `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
    },
  ]);
}

/** What generation counts the changes of: all but metadata and, where it is split off, status. */
function specOf(kind: ServedKind, object: AnyObject): Record<string, unknown> {
  const { metadata: _metadata, status, ...rest } = object;
  return kind.status ? rest : { ...rest, status };
}

/** For operations that a terminating or missing namespace forbids. */
export function refuseInTerminatingNamespace(kind: ServedKind, name: string, namespace: string): never {
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  throw forbidden(kind.type, name, why, [
    {
      reason: "NamespaceTerminating",
      message: `namespace ${namespace} is being terminated`,
      field: "metadata.namespace",
    },
  ]);
}
