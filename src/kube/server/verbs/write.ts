import type { AnyObject } from "#api";
import { isObject } from "#lib";
import type { Answer } from "../http/answer.ts";
import { applyBody, mediaType, parseJson, unsupportedMedia } from "../http/request-body.ts";
import { applyManager, flag } from "../http/kube-request.ts";
import { invalidOptions } from "../http/option-rules.ts";
import type { PatchBody } from "../object-api.ts";
import { badRequest } from "../refusals.ts";
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
  if (call.request.query.has("force")) {
    throw invalidOptions("PatchOptions", [["force", "Forbidden: may not be specified for non-apply patch"]]);
  }
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

/** Creates what is not there. */
function applyObject(call: ObjectCall, subresource: Subresource | undefined): Answer {
  const { objects } = call.face;
  const body = applyBody(call.request.body);
  if (subresource !== "scale") requireType(body);
  const { write, warnings } = writeOf(call, subresource);
  const request = { ...write, manager: applyManager(call.request), force: flag(call.request.query, "force") };
  if (subresource === "scale") {
    return objectAnswer(call, applyScale(objects, call.kind, placeOf(call), body, request), { warnings });
  }
  const { object, created } = objects.apply(call.kind, placeOf(call), body, request);
  return objectAnswer(call, object, { code: created ? 201 : 200, warnings });
}

/** An applier says what it applies: nothing is filled in for it. */
function requireType(body: unknown): void {
  const { apiVersion = "", kind = "" } = (isObject(body) ? body : {}) as { apiVersion?: unknown; kind?: unknown };
  if (apiVersion === "" || kind === "") {
    throw badRequest(`invalid object type: ${String(apiVersion)}, Kind=${String(kind)}`);
  }
}

export function readScale(call: ObjectCall): Answer {
  return objectAnswer(call, getScale(call.face.objects, call.kind, placeOf(call)));
}

export function readObject(call: ObjectCall): Answer {
  const object: AnyObject = call.face.objects.get(call.kind, placeOf(call));
  return objectAnswer(call, object);
}
