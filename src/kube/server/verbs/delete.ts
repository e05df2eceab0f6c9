import { isObject } from "#lib";
import { type Answer, ok } from "../http/answer.ts";
import { isDryRun, wholeNumber } from "../http/kube-request.ts";
import { invalidOptions } from "../http/option-rules.ts";
import { decodeBody } from "../http/request-body.ts";
import { successBody } from "../http/status-body.ts";
import type { DeleteRequest } from "../object-api.ts";
import { badRequest } from "../refusals.ts";
import { presentList } from "../tables/representation.ts";
import { callSelection } from "./list.ts";
import { objectAnswer, type ObjectCall, placeOf, presentationOf, type ResourceCall } from "./resource-call.ts";

/** DELETE of one object: what is gone gives a Status, what has to wait gives the object. */
export function deleteObject(call: ObjectCall): Answer {
  const { gone, object } = call.face.objects.delete(call.kind, placeOf(call), deleteRequest(call));
  if (!gone) return objectAnswer(call, object);
  const { group, plural } = call.kind.type;
  const { name, uid } = object.metadata;
  return ok(successBody({ name, ...(group === "" ? {} : { group }), kind: plural, uid }));
}

/** DELETE of a collection, as far as the selectors reach. Answers the list of what was deleted. */
export function deleteObjects(call: ResourceCall): Answer {
  const { objects } = call.face;
  const request = deleteRequest(call);
  const selected = objects.list(call.kind, callSelection(call));
  for (const { metadata } of selected) {
    // Deleting one may have taken another with it meanwhile.
    if (objects.find(call.kind, metadata) !== undefined) objects.delete(call.kind, metadata, request);
  }
  const how = presentationOf(call);
  const metadata = { resourceVersion: String(objects.store.revision) };
  return ok(presentList(call.kind, selected, metadata, how), how.representation.format);
}

/** From the body (DeleteOptions) and, for older clients, from parameters; the body counts more. */
function deleteRequest(call: ResourceCall): DeleteRequest {
  const { query, body, headers } = call.request;
  const options = decodeBody(body, headers["content-type"]) ?? {};
  if (!isObject(options)) throw badRequest("DeleteOptions must be an object");
  return deleteRequestOf(options, query);
}

export function deleteRequestOf(options: Record<string, unknown>, query: URLSearchParams): DeleteRequest {
  const grace = options["gracePeriodSeconds"] ?? wholeNumber(query, "gracePeriodSeconds");
  if (grace !== undefined && grace !== null && (typeof grace !== "number" || !Number.isInteger(grace))) {
    throw badRequest("gracePeriodSeconds of DeleteOptions must be a whole number");
  }
  const orphan = options["orphanDependents"] ?? query.get("orphanDependents");
  const policy = options["propagationPolicy"] ?? query.get("propagationPolicy") ?? policyOfOrphan(orphan);
  if (policy !== undefined && policy !== "Background" && policy !== "Foreground" && policy !== "Orphan") {
    const supported = 'supported values: "Foreground", "Background", "Orphan", "nil"';
    const message = `Unsupported value: ${JSON.stringify(policy)}: ${supported}`;
    throw invalidOptions("DeleteOptions", [["propagationPolicy", message]]);
  }
  return {
    propagationPolicy: policy,
    gracePeriodSeconds: typeof grace === "number" ? grace : undefined,
    preconditions: preconditionsOf(options["preconditions"]),
    dryRun: isDryRun({ query, method: "DELETE" }) || isDryRunBody(options["dryRun"]),
  };
}

function policyOfOrphan(orphan: unknown): "Orphan" | "Background" | undefined {
  if (orphan === true || orphan === "true") return "Orphan";
  return orphan === false || orphan === "false" ? "Background" : undefined;
}

function isDryRunBody(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (Array.isArray(value) && value.every((item) => item === "All")) return value.length > 0;
  throw badRequest('dryRun of DeleteOptions must be a list of "All"');
}

function preconditionsOf(value: unknown): DeleteRequest["preconditions"] {
  if (!isObject(value)) return undefined;
  const { uid, resourceVersion } = value;
  return {
    ...(typeof uid === "string" ? { uid } : {}),
    ...(typeof resourceVersion === "string" ? { resourceVersion } : {}),
  };
}
