/** From a request body to an object of the kind it was sent to. */
import { type AnyObject, apiVersionOf } from "#api";
import { isObject } from "#lib";
import { areEntriesUnchanged } from "../fields/managed-entry.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import { badRequest, cannotDecode } from "../refusals.ts";
import { cloneJson } from "./clone-json.ts";

/**
 * A copy of the body as an object with sound metadata. apiVersion and kind are filled in where missing, and refused
 * where they name something else; null metadata fields count as missing. managedFields equal to those of
 * `stored` are shared with it.
 */
export function toObject(kind: ServedKind, body: unknown, stored?: AnyObject): AnyObject {
  if (!isObject(body)) throw badRequest("the request body must be an object");
  const { type } = kind;
  const object = copyOf(body, stored);
  const apiVersion = apiVersionOf(type);
  object["apiVersion"] ??= apiVersion;
  object["kind"] ??= type.kind;
  object["metadata"] ??= {};
  if (object["apiVersion"] !== apiVersion || object["kind"] !== type.kind) {
    const found = `${JSON.stringify(object["apiVersion"])}, kind ${JSON.stringify(object["kind"])}`;
    throw badRequest(`the object provided is unrecognized: expected ${apiVersion}, kind ${type.kind}, found ${found}`);
  }
  checkMetadataShape(kind, object["metadata"]);
  return object as AnyObject;
}

function copyOf(body: Record<string, unknown>, stored: AnyObject | undefined): Record<string, unknown> {
  const managedFields = stored?.metadata.managedFields;
  const metadata = body["metadata"];
  if (managedFields === undefined || !isObject(metadata)) return cloneJson(body);
  if (!areEntriesUnchanged(managedFields, metadata["managedFields"])) return cloneJson(body);
  return draftOf({ ...body, metadata: { ...metadata, managedFields } } as unknown as AnyObject);
}

/** A copy to change, but for managedFields, which are shared: they are only ever replaced as a whole. */
export function draftOf(object: AnyObject): AnyObject {
  const { managedFields, ...metadata } = object.metadata;
  const draft = cloneJson<AnyObject>({ ...object, metadata });
  if (managedFields !== undefined) draft.metadata.managedFields = managedFields;
  return draft;
}

const stringFields = [
  "name",
  "generateName",
  "namespace",
  "uid",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
] as const;

function checkMetadataShape(kind: ServedKind, metadata: unknown): void {
  if (!isObject(metadata)) throw cannotDecode(kind.type, "metadata must be an object");
  for (const [field, value] of Object.entries(metadata)) if (value === null) delete metadata[field];
  for (const field of stringFields)
    requireShape(kind, metadata, field, (value) => typeof value === "string", "a string");
  for (const field of ["labels", "annotations"]) requireShape(kind, metadata, field, isStringMap, "a map of strings");
  requireShape(kind, metadata, "finalizers", isStringList, "a list of strings");
  requireShape(kind, metadata, "managedFields", isObjectList, "a list of objects");
  requireShape(
    kind,
    metadata,
    "ownerReferences",
    isOwnerList,
    "a list of references with apiVersion, kind, name and uid",
  );
  for (const field of ["generation", "deletionGracePeriodSeconds"]) {
    requireShape(kind, metadata, field, (value) => Number.isInteger(value), "an integer");
  }
}

function requireShape(
  kind: ServedKind,
  metadata: Record<string, unknown>,
  field: string,
  fits: (value: unknown) => boolean,
  wanted: string,
): void {
  const value = metadata[field];
  if (value === undefined || fits(value)) return;
  throw cannotDecode(kind.type, `metadata.${field} must be ${wanted}`);
}

function isStringMap(value: unknown): boolean {
  return isObject(value) && Object.values(value).every((inner) => typeof inner === "string");
}

function isStringList(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function isObjectList(value: unknown): boolean {
  return Array.isArray(value) && value.every(isObject);
}

function isOwnerList(value: unknown): boolean {
  const wanted = ["apiVersion", "kind", "name", "uid"];
  return (
    Array.isArray(value) &&
    value.every((item) => isObject(item) && wanted.every((field) => typeof item[field] === "string"))
  );
}
