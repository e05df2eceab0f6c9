/** What a server-side apply asks for, out of its body. */
import { type AnyObject, apiVersionOf } from "#api";
import { canonicalJson } from "#lib";
import { ambiguousItems } from "../fields/ambiguous-items.ts";
import { lastAppliedAnnotation } from "../fields/plan-apply.ts";
import { pathText } from "../fields/steps.ts";
import { shapeOfKind } from "../fields/shape.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import { badRequest } from "../refusals.ts";
import { draftOf } from "./body.ts";
import { fitConfiguration } from "./fit-to-kind.ts";
import type { WriteRequest } from "./write-request.ts";

/**
 * Only what this endpoint takes, and nothing the applier did not say: no defaults. `object` is the caller's to give
 * away. Throws BadRequest for what cannot be applied; what is missing or invalid shows in the merged object.
 */
export function toConfiguration(kind: ServedKind, object: AnyObject, request: WriteRequest): AnyObject {
  if (object.metadata.managedFields !== undefined) throw badRequest("metadata.managedFields must be nil");
  fitConfiguration(kind, object, request);
  const ambiguous = ambiguousItems(object, shapeOfKind(kind));
  if (ambiguous !== undefined) {
    const { path, why } = ambiguous;
    const what = `${object.metadata.namespace ?? ""}/${object.metadata.name}; ${apiVersionOf(kind.type)}, Kind=${kind.type.kind}`;
    throw badRequest(`failed to create typed patch object (${what}): ${pathText(path)}: ${why}`);
  }
  return ofEndpoint(kind, object, request);
}

/** Status and the rest of the object are applied apart where they are split. */
function ofEndpoint(kind: ServedKind, object: AnyObject, request: WriteRequest): AnyObject {
  const { apiVersion, kind: name, metadata, status } = object;
  if (request.subresource === "status") {
    const {
      labels: _labels,
      annotations: _annotations,
      finalizers: _finalizers,
      ownerReferences: _,
      ...names
    } = metadata;
    return { apiVersion, kind: name, metadata: names, ...(status === undefined ? {} : { status }) };
  }
  if (kind.status) delete object["status"];
  return object;
}

/**
 * kubectl may go back to client-side apply, which works from its annotation: where the object has one and kubectl
 * applies, it is brought up to what was applied. Nobody owns it for that.
 */
export function withLastApplied(object: AnyObject, asked: AnyObject, manager: string): AnyObject {
  if (manager !== "kubectl" || object.metadata.annotations?.[lastAppliedAnnotation] === undefined) return object;
  const applied = draftOf(asked);
  delete applied.metadata.annotations?.[lastAppliedAnnotation];
  const annotations = { ...object.metadata.annotations, [lastAppliedAnnotation]: `${canonicalJson(applied)}\n` };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
