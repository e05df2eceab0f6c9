/** Drops what the kind has no field for, as upstream does, and says so in the way the request asked. */
import type { AnyObject } from "#api";
import type { ServedKind } from "../registry/served-kind.ts";
import { cannotDecode } from "../refusals.ts";
import type { WriteRequest } from "./write-request.ts";

const everyKindHas: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

const metadataFields: ReadonlySet<string> = new Set([
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
]);

/** Changes `object`. Throws BadRequest under Strict validation when something had to go. */
export function dropUnknownFields(kind: ServedKind, object: AnyObject, request: WriteRequest): void {
  const unknown = [...dropTopLevel(kind, object), ...dropMetadata(object)];
  if (unknown.length === 0) return;
  const texts = unknown.map((path) => `unknown field "${path}"`);
  if (request.fieldValidation === "Strict") {
    throw cannotDecode(kind.type, `strict decoding error: ${texts.join(", ")}`);
  }
  if (request.fieldValidation === "Warn") for (const text of texts) request.warn(text);
}

function dropTopLevel(kind: ServedKind, object: AnyObject): string[] {
  const { fields } = kind;
  if (fields === undefined) return [];
  const unknown = Object.keys(object).filter((field) => !everyKindHas.has(field) && !fields.includes(field));
  for (const field of unknown) delete object[field];
  return unknown;
}

function dropMetadata(object: AnyObject): string[] {
  const metadata = object.metadata as unknown as Record<string, unknown>;
  const unknown = Object.keys(metadata).filter((field) => !metadataFields.has(field));
  for (const field of unknown) delete metadata[field];
  return unknown.map((field) => `metadata.${field}`);
}
