/** The scale subresource: an `autoscaling/v1` Scale in place of the object, for whoever only counts replicas. */
import type { AnyObject } from "#api";
import { isObject, mergePatch } from "#lib";
import { applyJsonPatch } from "../patch/json-patch.ts";
import type { ObjectApi, PatchBody, Place } from "../object-api.ts";
import { badRequest, invalid, modifiedMeanwhile, notFound } from "../refusals.ts";
import type { ServedKind } from "../registry/served-kind.ts";
import type { ApplyRequest, WriteRequest } from "../write/write-request.ts";
import { readField, writeField } from "./field-path.ts";
import { selectorText } from "./selector-text.ts";

/** Throws NotFound when there is no such object, or its kind does not scale. */
export function getScale(objects: ObjectApi, kind: ServedKind, place: Place): AnyObject {
  return scaleOf(kind, objects.get(kind, place));
}

/** PUT of a Scale: its replicas become the object's. */
export function putScale(
  objects: ObjectApi,
  kind: ServedKind,
  place: Place,
  body: unknown,
  request: WriteRequest,
): AnyObject {
  const object = objects.get(kind, place);
  return writeScale(objects, kind, place, { object, scale: body, request });
}

export function patchScale(
  objects: ObjectApi,
  kind: ServedKind,
  place: Place,
  body: PatchBody,
  request: WriteRequest,
): AnyObject {
  const object = objects.get(kind, place);
  const before = scaleOf(kind, object);
  // A Scale has no lists, so a strategic merge of it is a merge.
  const scale = body.type === "json" ? applyJsonPatch(before, body.patch) : mergePatch(before, body.patch);
  return writeScale(objects, kind, place, { object, scale, request });
}

/** Server-side apply of a Scale: its replicas are then the applier's. */
export function applyScale(
  objects: ObjectApi,
  kind: ServedKind,
  place: Place,
  body: unknown,
  request: ApplyRequest,
): AnyObject {
  const object = objects.get(kind, place);
  const scale = isObject(body) ? body : {};
  if (scale["apiVersion"] !== "autoscaling/v1" || scale["kind"] !== "Scale") {
    throw badRequest('the object provided is unrecognized: expected autoscaling/v1, kind "Scale"');
  }
  const { apiVersion, kind: name } = object;
  const asked: Record<string, unknown> = { apiVersion, kind: name, metadata: scale["metadata"] ?? {} };
  const spec = isObject(scale["spec"]) ? scale["spec"] : {};
  if (spec["replicas"] !== undefined) {
    writeField(asked, pathsOf(kind, place).specReplicas, replicasOf(kind, place, scale));
  }
  return scaleOf(kind, objects.apply(kind, place, asked, { ...request, subresource: "scale" }).object);
}

function writeScale(
  objects: ObjectApi,
  kind: ServedKind,
  place: Place,
  write: { object: AnyObject; scale: unknown; request: WriteRequest },
): AnyObject {
  const { object, scale, request } = write;
  const replicas = replicasOf(kind, place, scale);
  const metadata = isObject(scale) && isObject(scale["metadata"]) ? scale["metadata"] : {};
  const version = metadata["resourceVersion"];
  if (typeof version === "string" && version !== "" && version !== object.metadata.resourceVersion) {
    throw modifiedMeanwhile(kind.type, place.name);
  }
  const changed = structuredClone(object);
  writeField(changed, pathsOf(kind, place).specReplicas, replicas);
  return scaleOf(kind, objects.update(kind, place, changed, { ...request, subresource: "scale" }));
}

function replicasOf(kind: ServedKind, place: Place, scale: unknown): number {
  const spec = isObject(scale) ? scale["spec"] : undefined;
  const replicas = isObject(spec) ? (spec["replicas"] ?? 0) : undefined;
  if (typeof replicas !== "number") throw badRequest("a Scale must have spec.replicas");
  if (!Number.isInteger(replicas) || replicas < 0 || replicas > 2_147_483_647) {
    const message = `Invalid value: ${replicas}: must be a whole number greater than or equal to 0`;
    throw invalid(kind.type, place.name, [{ path: "spec.replicas", message }]);
  }
  return replicas;
}

function scaleOf(kind: ServedKind, object: AnyObject): AnyObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const paths = pathsOf(kind, object.metadata);
  const wanted = readField(object, paths.specReplicas);
  const actual = readField(object, paths.statusReplicas);
  const selector = paths.selector === undefined ? undefined : selectorText(readField(object, paths.selector));
  return {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
    },
    spec: { replicas: typeof wanted === "number" ? wanted : 0 },
    status: {
      replicas: typeof actual === "number" ? actual : 0,
      ...(selector === undefined ? {} : { selector }),
    },
  };
}

function pathsOf(kind: ServedKind, place: Place): NonNullable<ServedKind["scale"]> {
  if (kind.scale === undefined) throw notFound(kind.type, `${place.name}/scale`);
  return kind.scale;
}
