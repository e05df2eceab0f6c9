/** From what a client sent to what is stored: the pure middle of every write. */
import type { AnyObject, CompletionContext } from "#api";
import { deepEqual, hasErrors, type Problem } from "#lib";
import { compareObjects, type Difference, isNone } from "../fields/compare.ts";
import type { FieldSet } from "../fields/field-set.ts";
import { type ManagedEntry, storedEntries } from "../fields/managed-entry.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import { draftOf } from "./body.ts";
import { cloneJson } from "./clone-json.ts";
import { cannotDecode, conflict, forbidden, invalid, modifiedMeanwhile } from "../refusals.ts";
import { entriesOfUpdate, recordCreate, recordUpdate, setEntries } from "./managed-fields.ts";
import { metadataProblems } from "./metadata-rules.ts";
import { fitToKind } from "./fit-to-kind.ts";
import { toTypedForm } from "../schema/typed-form.ts";
import type { WriteRequest } from "./write-request.ts";

export interface Birth extends CompletionContext {
  readonly uid: string;
  /** Appended to generateName. */
  readonly suffix: string;
}

/** What a new object is stored as. `object` is the caller's to give away. Throws when it must not be created. */
export function prepareCreate(kind: ServedKind, object: AnyObject, request: WriteRequest, birth: Birth): AnyObject {
  const broken = beginNew(kind, object, request, birth);
  recordCreate(kind, object, { ...request, time: birth.now });
  finish(kind, object, undefined, { broken, request, context: birth });
  return object;
}

/** The same for an object that comes to be by an apply, which has settled who owns what. */
export function prepareAppliedCreate(
  kind: ServedKind,
  applied: { readonly object: AnyObject; readonly entries: readonly ManagedEntry[] },
  request: WriteRequest,
  birth: Birth,
): AnyObject {
  const object = draftOf(applied.object);
  const broken = beginNew(kind, object, request, birth);
  setEntries(object, applied.entries);
  finish(kind, object, undefined, { broken, request, context: birth });
  return object;
}

/** Returns the rules of the schema that the object breaks. */
function beginNew(kind: ServedKind, object: AnyObject, request: WriteRequest, birth: Birth): readonly Problem[] {
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
  metadata.creationTimestamp = birth.now;
  if (kind.status) delete object["status"];
  if (kind.generation !== false) metadata.generation = 1;
  return settleForm(kind, object, request);
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
  context: CompletionContext,
): AnyObject {
  const edited = entriesOfUpdate(old, sent, request);
  const { object, broken } = beginNext(kind, old, sent, request);
  const change = compareObjects(kind, old, object);
  recordUpdate(kind, object, { old, change, edited, writer: { ...request, time: context.now } });
  finish(kind, object, old, { broken, request, context });
  // Lists may stand in another order and metadata nobody owns may differ without any field having changed.
  if (isNone(change) && edited === undefined && deepEqual(old, object)) return old;
  countGeneration(kind, old, object, { change, request });
  return object;
}

/** What replaces `old` after an apply, or `old` itself when nothing would change, the owners included. */
export function prepareAppliedUpdate(
  kind: ServedKind,
  old: AnyObject,
  applied: { readonly object: AnyObject; readonly entries: readonly ManagedEntry[] },
  request: WriteRequest,
  context: CompletionContext,
): AnyObject {
  const { object, broken } = beginNext(kind, old, draftOf(applied.object), request);
  const change = compareObjects(kind, old, object);
  setEntries(object, applied.entries);
  finish(kind, object, old, { broken, request, context });
  // What reads differently may be the same in the end (a quantity in another spelling): then not even a time changes.
  if (deepEqual(timeless(old), timeless(object))) return old;
  countGeneration(kind, old, object, { change, request });
  return object;
}

function timeless(object: AnyObject): AnyObject {
  const entries = storedEntries(object.metadata.managedFields).map((entry) => ({ ...entry, time: undefined }));
  return { ...object, metadata: { ...object.metadata, managedFields: entries } };
}

interface Begun {
  readonly object: AnyObject;
  /** The rules of the schema that the object breaks. */
  readonly broken: readonly Problem[];
}

/** Everything but generation, who owns what, and what the system itself sets: these are as in `old`. */
function beginNext(kind: ServedKind, old: AnyObject, sent: AnyObject, request: WriteRequest): Begun {
  checkLocks(kind, old, sent);
  const object = request.subresource === "status" ? statusOnly(old, sent) : sent;
  keepSystemFields(kind, old, object);
  if (kind.status && request.subresource !== "status") keepStatus(old, object);
  checkFinalizers(kind, old, object);
  return { object, broken: settleForm(kind, object, request) };
}

function countGeneration(
  kind: ServedKind,
  old: AnyObject,
  object: AnyObject,
  { change, request }: { change: Difference; request: WriteRequest },
): void {
  if (kind.generation === false || kind.generation === "once") return;
  // The order of lists counts too, and is no change of a field; status writes leave everything else as it stands.
  const counts =
    touches(kind, change.changed) ||
    touches(kind, change.removed) ||
    (kind.generation === "with labels" && !deepEqual(old.metadata.labels ?? {}, object.metadata.labels ?? {})) ||
    (request.subresource !== "status" && !deepEqual(specOf(kind, old), specOf(kind, object)));
  if (counts) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

function touches(kind: ServedKind, set: FieldSet | undefined): boolean {
  return Object.keys(set ?? {}).some((step) => step !== "f:metadata" && !(kind.status && step === "f:status"));
}

/** Fits the object to its kind and fills in defaults. Returns the rules of the schema that it breaks. */
function settleForm(kind: ServedKind, object: AnyObject, request: WriteRequest): readonly Problem[] {
  const fit = fitToKind(kind, object, request);
  if (kind.message !== undefined) toTypedForm(kind.message, object);
  // What upstream's Go types always write is not missing, only empty.
  const broken = kind.message === undefined ? fit : fit.filter(({ path }) => isStillMissing(object, path));
  tolerant(kind, broken, () => kind.setDefaults?.(object));
  // A default may have filled it.
  return kind.message === undefined ? broken : broken.filter(({ path }) => isStillMissing(object, path));
}

function isStillMissing(object: AnyObject, path: string): boolean {
  let value: unknown = object;
  for (const step of path.match(/[^.[\]]+/g) ?? []) {
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  }
  return value === undefined;
}

interface Finish {
  readonly broken: readonly Problem[];
  readonly request: WriteRequest;
  readonly context: CompletionContext;
}

function finish(kind: ServedKind, object: AnyObject, old: AnyObject | undefined, how: Finish): void {
  const { broken, request, context } = how;
  const own = tolerant(kind, broken, () => {
    if (request.subresource !== "status") kind.complete?.(object, old, context);
    return kind.validate?.(object, old);
  });
  // The words of the kind itself are better than the schema's, and where it has none the schema still holds.
  const rules = own === undefined || own.length === 0 ? broken : own;
  const problems = [...metadataProblems(kind, object), ...rules];
  if (hasErrors(problems)) {
    throw invalid(
      kind.type,
      object.metadata.name,
      problems.filter((problem) => problem.severity !== "warning"),
    );
  }
  for (const { path, message } of problems) request.warn(path === "" ? message : `${path}: ${message}`);
}

/**
 * Definitions are written against the kind's type and may count on what its schema requires. Where the object breaks
 * it, nothing comes of them: kinds whose schema has all the rules are not asked at all, and others may trip.
 */
function tolerant<T>(kind: ServedKind, broken: readonly Problem[], work: () => T): T | undefined {
  if (broken.length > 0 && kind.message === undefined) return undefined;
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    if (broken.length > 0) return undefined;
    throw cannotDecode(kind.type, `a field has the wrong type: ${error.message}`);
  }
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
  const object = draftOf(old);
  if (sent["status"] === undefined) delete object["status"];
  else object["status"] = sent["status"];
  return object;
}

function keepStatus(old: AnyObject, object: AnyObject): void {
  if (old["status"] === undefined) delete object["status"];
  else object["status"] = cloneJson(old["status"]);
}

const systemFields = [
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "generation",
  "generateName",
  "managedFields",
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
