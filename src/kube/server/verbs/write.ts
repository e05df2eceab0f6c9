import type { AnyObject } from "#api";
import type { Answer } from "../http/answer.ts";
import { applyBody, mediaType, parseJson, unsupportedMedia } from "../http/request-body.ts";
import { applyManager, flag } from "../http/kube-request.ts";
import { KubeError } from "../../client/kube-error.ts";
import type { PatchBody } from "../object-api.ts";
import { applyScale, getScale, patchScale, putScale } from "../scale/scale.ts";
import { cloneJson } from "../write/clone-json.ts";
import type { Subresource } from "../write/write-request.ts";
import { objectAnswer, type ObjectCall, placeOf, requireBody, type ResourceCall, writeOf } from "./resource-call.ts";

/** POST to a collection. */
export function createObject(call: ResourceCall): Answer {
  const { write, warnings } = writeOf(call);
  const object = call.face.objects.create(call.kind, call.path.namespace, requireBody(call), write);
  return objectAnswer(call, object, { code: 201, warnings });
}

/** PUT of an object or one of its subresources. */
export function replaceObject(call: ObjectCall, subresource: Subresource | undefined): Answer {
  const { write, warnings } = writeOf(call, subresource);
  const { objects } = call.face;
  const body = requireBody(call);
  const object =
    subresource === "scale"
      ? putScale(objects, call.kind, placeOf(call), body, write)
      : objects.update(call.kind, placeOf(call), body, write);
  return objectAnswer(call, object, { warnings });
}

const patchMedia = {
  "application/json-patch+json": "json",
  "application/merge-patch+json": "merge",
  "application/strategic-merge-patch+json": "strategic",
} as const;

const applyMedia = "application/apply-patch+yaml";

/** PATCH of an object or one of its subresources: by JSON, merge or strategic merge patch, or server-side apply. */
export function patchObject(call: ObjectCall, subresource: Subresource | undefined): Answer {
  const media = mediaType(call.request.headers["content-type"]);
  if (media === applyMedia) return applyObject(call, subresource);
  if (call.request.query.has("force")) throw forbiddenForce();
  if (!Object.hasOwn(patchMedia, media)) throw unsupportedMedia(media, [...Object.keys(patchMedia), applyMedia]);
  const type = patchMedia[media as keyof typeof patchMedia];
  const patch: PatchBody = { type, patch: cloneJson(parseJson(call.request.body)) };
  const { write, warnings } = writeOf(call, subresource);
  const { objects } = call.face;
  const object =
    subresource === "scale"
      ? patchScale(objects, call.kind, placeOf(call), patch, write)
      : objects.patch(call.kind, placeOf(call), patch, write);
  return objectAnswer(call, object, { warnings });
}

function forbiddenForce(): KubeError {
  const message = "Forbidden: may not be specified for non-apply patch";
  return new KubeError("Invalid", `PatchOptions.meta.k8s.io "" is invalid: force: ${message}`, {
    group: "meta.k8s.io",
    kind: "PatchOptions",
    causes: [{ reason: "FieldValueForbidden", message, field: "force" }],
  });
}

/** Creates what is not there. */
function applyObject(call: ObjectCall, subresource: Subresource | undefined): Answer {
  const { objects } = call.face;
  const body = applyBody(call.request.body);
  const { write, warnings } = writeOf(call, subresource);
  const request = { ...write, manager: applyManager(call.request), force: flag(call.request.query, "force") };
  if (subresource === "scale") {
    return objectAnswer(call, applyScale(objects, call.kind, placeOf(call), body, request), { warnings });
  }
  const { object, created } = objects.apply(call.kind, placeOf(call), body, request);
  return objectAnswer(call, object, { code: created ? 201 : 200, warnings });
}

export function readScale(call: ObjectCall): Answer {
  return objectAnswer(call, getScale(call.face.objects, call.kind, placeOf(call)));
}

export function readObject(call: ObjectCall): Answer {
  const object: AnyObject = call.face.objects.get(call.kind, placeOf(call));
  return objectAnswer(call, object);
}
