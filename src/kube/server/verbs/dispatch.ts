/** Which handler answers a request for a resource, once its user may have it answered. */
import { KubeError } from "../../client/kube-error.ts";
import { type Answer, ok } from "../http/answer.ts";
import { flag, type KubeFace, type KubeRequest } from "../http/kube-request.ts";
import { decodeBody } from "../http/request-body.ts";
import type { ResourcePath } from "../http/request-path.ts";
import { attributesOf, requireResource } from "../authorization/require.ts";
import { reviewKinds } from "../discovery/served-resources.ts";
import { evictPod } from "../eviction/evict-pod.ts";
import { badRequest } from "../refusals.ts";
import { answerReview, type ReviewKind } from "../reviews/answer-review.ts";
import { openPodStream } from "../streams/pod-streams.ts";
import { isStreamSubresource } from "../streams/stream-subresources.ts";
import { requestToken } from "../service-accounts/token-request.ts";
import { deleteObject, deleteObjects } from "./delete.ts";
import { listObjects } from "./list.ts";
import { readPodLog } from "./pod-log.ts";
import type { ObjectCall, ResourceCall } from "./resource-call.ts";
import { answerUsage, metricsGroup } from "../usage/metrics-api.ts";
import { watchObjects } from "./watch.ts";
import { createObject, patchObject, readObject, readScale, replaceObject } from "./write.ts";

/** Throws KubeError for everything that is refused. */
export async function answerResource(face: KubeFace, request: KubeRequest, path: ResourcePath): Promise<Answer> {
  requireResource(face.authorizer, request.user, attributesOf(request, path));
  const review = reviewKinds.find(
    ({ group, version, plural }) => group === path.group && version === path.version && plural === path.plural,
  );
  if (review !== undefined) return await reviewAnswer(face, request, { kind: review.kind, path });
  if (path.group === metricsGroup) return answerUsage(face, request, path);
  const kind = face.objects.kinds.find(path.group, path.version, path.plural);
  if (kind === undefined) throw noSuchPath();
  // Rights in a namespace must not reach what belongs to none.
  if (!kind.type.namespaced && path.namespace !== undefined) throw noSuchPath();
  const answer = await answerCall({ face, request, path, kind });
  if (kind.deprecation === undefined || answer.kind !== "body") return answer;
  return { ...answer, warnings: [kind.deprecation, ...(answer.warnings ?? [])] };
}

async function answerCall(call: ResourceCall): Promise<Answer> {
  const { path, kind } = call;
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
  if (path.subresource === "eviction" && kind.resource === "pods") {
    if (method !== "POST") throw notAllowed();
    return evictPod(call);
  }
  if (path.subresource === "token" && kind.resource === "serviceaccounts") {
    if (method !== "POST") throw notAllowed();
    return await requestToken(call);
  }
  const subresource = path.subresource;
  if (kind.resource === "pods" && isStreamSubresource(subresource)) {
    if (method !== "GET" && method !== "POST") throw notAllowed();
    return openPodStream(call, subresource);
  }
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

async function reviewAnswer(
  face: KubeFace,
  request: KubeRequest,
  { kind, path }: { readonly kind: ReviewKind; readonly path: ResourcePath },
): Promise<Answer> {
  if (path.name !== undefined) throw noSuchPath();
  if (request.method !== "POST") throw notAllowed();
  const body = decodeBody(request.body, request.headers["content-type"]);
  const review = await answerReview(face, kind, { body, user: request.user, namespace: path.namespace });
  return { ...ok(review), code: 201 } as Answer;
}

function notAllowed(): KubeError {
  return new KubeError("MethodNotAllowed", "the server does not allow this method on the requested resource");
}
