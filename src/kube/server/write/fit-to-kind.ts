/** Fits an object to what is known of its kind's shape, and says what had to go in the way the request asked. */
import type { AnyObject } from "#api";
import { formatProblem, type Problem } from "#lib";
import type { ServedKind } from "../registry/served-kind.ts";
import { cannotDecode } from "../refusals.ts";
import { conform } from "../schema/conform.ts";
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

/**
 * Changes `object`. Throws BadRequest for values of the wrong type of built-in kinds, and under Strict validation when something had to
 * go. Returns the rules of the schema that the object breaks.
 */
export function fitToKind(kind: ServedKind, object: AnyObject, request: WriteRequest): readonly Problem[] {
  const { schema, allRules } = kind;
  const confidential = kind.resource === "secrets";
  const fit =
    schema === undefined ? undefined : conform(schema, object, { allRules, confidential, except: everyKindHas });
  const mistyped = fit?.mistyped[0];
  // Upstream reads built-in kinds into Go structs, which fails, and validates custom ones, which is a problem like others.
  if (mistyped !== undefined && !allRules) throw cannotDecode(kind.type, formatProblem(mistyped));
  report(kind, [...dropMetadata(object), ...(fit?.unknown ?? dropTopLevel(kind, object))], request);
  return fit === undefined ? [] : [...fit.mistyped, ...fit.missing, ...fit.broken];
}

/**
 * The same for what an applier asks for, which is only part of an object: nothing is missing from it, and defaults are
 * not its wish. Rules beyond types are left to the object it becomes part of.
 */
export function fitConfiguration(kind: ServedKind, object: AnyObject, request: WriteRequest): void {
  const { schema } = kind;
  const confidential = kind.resource === "secrets";
  const fit =
    schema === undefined ? undefined : conform(schema, object, { allRules: false, confidential, except: everyKindHas });
  const mistyped = fit?.mistyped[0];
  if (mistyped !== undefined) throw cannotDecode(kind.type, formatProblem(mistyped));
  report(kind, [...dropMetadata(object), ...(fit?.unknown ?? dropTopLevel(kind, object))], request);
}

function report(kind: ServedKind, unknown: readonly string[], request: WriteRequest): void {
  const twice = request.duplicates ?? [];
  if (unknown.length === 0 && twice.length === 0) return;
  const texts = [...twice, ...unknown.map((path) => `unknown field "${path}"`)];
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
