/** Which verb a request for a resource is, and whether the identity may. */
import { type Identity, qualifiedPlural } from "#api";
import { KubeError } from "../../client/kube-error.ts";
import { type Answer, ok } from "../http/answer.ts";
import { flag, type KubeFace, type KubeRequest } from "../http/kube-request.ts";
import { decodeBody } from "../http/request-body.ts";
import type { ResourcePath } from "../http/request-path.ts";
import { reviewKinds } from "../discovery/served-resources.ts";
import { badRequest } from "../refusals.ts";
import { answerReview, mayDo } from "../reviews/self-review.ts";
import { deleteObject, deleteObjects } from "./delete.ts";
import { listObjects } from "./list.ts";
import { readPodLog } from "./pod-log.ts";
import type { ObjectCall, ResourceCall } from "./resource-call.ts";
import { watchObjects } from "./watch.ts";
import { createObject, patchObject, readObject, readScale, replaceObject } from "./write.ts";

/** Throws KubeError for everything that is refused. */
export async function answerResource(face: KubeFace, request: KubeRequest, path: ResourcePath): Promise<Answer> {
  const review = reviewKinds.find(
    ({ group, version, plural }) => group === path.group && version === path.version && plural === path.plural,
  );
  if (review !== undefined) return reviewAnswer(request, review.kind);
  const kind = face.objects.kinds.find(path.group, path.version, path.plural);
  if (kind === undefined) throw noSuchPath();
  requirePermission(request, path);
  const call: ResourceCall = { face, request, path, kind };
  if (path.name === undefined) return answerCollection(call);
  if (kind.type.namespaced && path.namespace === undefined) throw noSuchPath();
  const objectCall: ObjectCall = { ...call, name: path.name };
  return path.subresource === undefined ? answerObject(objectCall) : await answerSubresource(objectCall);
}

export function noSuchPath(): KubeError {
  return new KubeError("NotFound", "the server could not find the requested resource");
}

function answerCollection(call: ResourceCall): Answer {
  const { method, query } = call.request;
  switch (method) {
    case "GET":
      return flag(query, "watch") ? watchObjects(call) : listObjects(call);
    case "POST":
      if (call.kind.type.namespaced && call.path.namespace === undefined) {
        throw badRequest("an empty namespace may not be set during creation");
      }
      return createObject(call);
    case "DELETE":
      return deleteObjects(call);
    default:
      throw notAllowed();
  }
}

function answerObject(call: ObjectCall): Answer {
  switch (call.request.method) {
    case "GET":
      return readObject(call);
    case "PUT":
      return replaceObject(call, undefined);
    case "PATCH":
      return patchObject(call, undefined);
    case "DELETE":
      return deleteObject(call);
    default:
      throw notAllowed();
  }
}

async function answerSubresource(call: ObjectCall): Promise<Answer> {
  const { kind, path, request } = call;
  const { method } = request;
  if (path.subresource === "log" && kind.resource === "pods") {
    if (method !== "GET") throw notAllowed();
    return await readPodLog(call);
  }
  const subresource = path.subresource;
  const isStatus = subresource === "status" && kind.status;
  const isScale = subresource === "scale" && kind.scale !== undefined;
  if (!isStatus && !isScale) throw noSuchPath();
  switch (method) {
    case "GET":
      return isScale ? readScale(call) : readObject(call);
    case "PUT":
      return replaceObject(call, subresource);
    case "PATCH":
      return patchObject(call, subresource);
    default:
      throw notAllowed();
  }
}

function reviewAnswer(request: KubeRequest, kind: string): Answer {
  if (request.method !== "POST") throw notAllowed();
  const body = decodeBody(request.body, request.headers["content-type"]);
  return { ...ok(answerReview(kind, body, request.identity)), code: 201 } as Answer;
}

function notAllowed(): KubeError {
  return new KubeError("MethodNotAllowed", "the server does not allow this method on the requested resource");
}

function requirePermission(request: KubeRequest, path: ResourcePath): void {
  const verb = verbOf(request, path);
  if (mayDo(request.identity, verb)) return;
  throw new KubeError("Forbidden", refusalText(request.identity, verb, path), {
    ...(path.name === undefined ? {} : { name: path.name }),
    ...(path.group === "" ? {} : { group: path.group }),
    kind: path.plural,
  });
}

function refusalText(identity: Identity, verb: string, path: ResourcePath): string {
  const name = path.name === undefined ? "" : ` "${path.name}"`;
  const scope = path.namespace === undefined ? "at the cluster scope" : `in the namespace "${path.namespace}"`;
  return (
    `${qualifiedPlural(path)}${name} is forbidden: User "${identity.name}" cannot ${verb} resource "${path.plural}" ` +
    `in API group "${path.group}" ${scope}: the token needs the scope kube:${verb === "get" || verb === "list" || verb === "watch" ? "read" : "write"}`
  );
}

function verbOf(request: KubeRequest, path: ResourcePath): string {
  switch (request.method) {
    case "GET":
      if (path.name !== undefined) return "get";
      return flag(request.query, "watch") ? "watch" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return path.name === undefined ? "deletecollection" : "delete";
    default:
      return request.method.toLowerCase();
  }
}
