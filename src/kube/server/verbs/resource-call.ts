import type { ResourcePath } from "../http/request-path.ts";
import type { KubeFace, KubeRequest } from "../http/kube-request.ts";
import { negotiate } from "../http/accept.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import { objectForms, parseIncludeObject, type Presentation } from "../tables/representation.ts";
import { decodeBody, duplicatesOf } from "../http/request-body.ts";
import { fieldManager, fieldValidation, isDryRun } from "../http/kube-request.ts";
import type { Answer } from "../http/answer.ts";
import type { Subresource, WriteRequest } from "../write/write-request.ts";
import { refuseEscalation } from "../authorization/escalation.ts";
import { attributesOf, requireResource } from "../authorization/require.ts";
import { badRequest } from "../refusals.ts";
import { presentObject } from "../tables/representation.ts";
import type { AnyObject } from "#api";

/** A request for a kind that is served. */
export interface ResourceCall {
  readonly face: KubeFace;
  readonly request: KubeRequest;
  readonly path: ResourcePath;
  readonly kind: ServedKind;
}

/** A call for one object. */
export interface ObjectCall extends ResourceCall {
  readonly name: string;
}

export function placeOf(call: ObjectCall): { namespace: string | undefined; name: string } {
  return { namespace: call.path.namespace, name: call.name };
}

export function presentationOf(call: ResourceCall, forms: readonly string[] = objectForms): Presentation {
  return {
    representation: negotiate(call.request.headers["accept"], forms),
    includeObject: parseIncludeObject(call.request.query.get("includeObject")),
    now: call.face.clock.now(),
  };
}

/** Throws BadRequest when there is no body. */
export function requireBody(call: ResourceCall): unknown {
  const body = decodeBody(call.request.body, call.request.headers["content-type"]);
  if (body === undefined) throw badRequest("the request must have a body");
  return body;
}

/** The write the request asks for; warnings gather in the list. */
export function writeOf(call: ResourceCall, subresource?: Subresource): { write: WriteRequest; warnings: string[] } {
  const warnings: string[] = [];
  const validation = fieldValidation(call.request);
  const write: WriteRequest = {
    manager: fieldManager(call.request),
    dryRun: isDryRun(call.request),
    fieldValidation: validation,
    subresource,
    duplicates: validation === "Ignore" ? [] : duplicatesOf(call.request.body, call.request.headers["content-type"]),
    admit: (object, old) => admit(call, object, old),
    warn: (message) => {
      if (warnings.length < 50) warnings.push(message);
    },
  };
  return { write, warnings };
}

/** What depends on the object itself: whether a patch may create, and whether a role gives more than the user has. */
function admit({ face, request, path, kind }: ResourceCall, object: AnyObject, old: AnyObject | undefined): void {
  const { user } = request;
  if (old === undefined && request.method !== "POST") {
    const { namespace = "", name } = object.metadata;
    requireResource(face.authorizer, user, { ...attributesOf(request, path), verb: "create", namespace, name });
  }
  refuseEscalation(face.authorizer, user, { kind, object, old });
}

export function objectAnswer(
  call: ResourceCall,
  object: AnyObject,
  { code = 200, warnings = [] }: { code?: number; warnings?: readonly string[] } = {},
): Answer {
  const how = presentationOf(call);
  const { as, format } = how.representation;
  if (as === undefined && format === "json") {
    return { kind: "body", code, body: object, text: call.face.objects.store.textOf(object), format, warnings };
  }
  return { kind: "body", code, body: presentObject(call.kind, object, how), format, warnings };
}
