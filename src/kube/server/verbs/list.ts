import type { AnyObject } from "#api";
import type { Answer } from "../http/answer.ts";
import { ok } from "../http/answer.ts";
import { wholeNumber } from "../http/kube-request.ts";
import { asVersion } from "../object-api.ts";
import { badRequest } from "../refusals.ts";
import { formatContinue, parseContinue } from "../read/continue-token.ts";
import { parseResourceVersion, requireReached } from "../read/resource-version.ts";
import { type Selection, selectionOf } from "../select/selection.ts";
import { type ListMetadata, presentList } from "../tables/representation.ts";
import { presentationOf, type ResourceCall } from "./resource-call.ts";
import { comparePlaces } from "../../store/object-key.ts";

export function callSelection(call: ResourceCall): Selection {
  const { query } = call.request;
  return selectionOf(call.kind, {
    namespace: call.path.namespace,
    labelSelector: query.get("labelSelector") ?? undefined,
    fieldSelector: query.get("fieldSelector") ?? undefined,
  });
}

/** GET of a collection. All pages of one list show the state at the revision of the first. */
export function listObjects(call: ResourceCall): Answer {
  const how = presentationOf(call);
  const { query } = call.request;
  const { store } = call.face.objects;
  const limit = wholeNumber(query, "limit") ?? 0;
  const token = query.get("continue") ?? "";
  const position = token === "" ? undefined : parseContinue(token);
  const revision = position?.revision ?? wantedRevision(query, store.revision);
  requireReached(revision, store.revision);
  const selection = callSelection(call);
  const matching = store
    .listAt(revision, call.kind.resource, selection.namespace)
    .filter(
      (object) => selection.matches(object) && (position === undefined || comparePlaces(placed(object), position) > 0),
    );
  const page = limit > 0 && matching.length > limit ? matching.slice(0, limit) : matching;
  const metadata = listMetadata(revision, page, {
    remaining: matching.length - page.length,
    exact: !selection.selective,
  });
  const objects = page.map((object) => asVersion(call.kind, object));
  return ok(presentList(call.kind, objects, metadata, how), how.representation.format);
}

/** Only `Exact` asks for the past; every other match is served by the present. */
function wantedRevision(query: URLSearchParams, current: number): number {
  const version = parseResourceVersion(query.get("resourceVersion") ?? undefined);
  const match = query.get("resourceVersionMatch") ?? "";
  if (match !== "" && match !== "Exact" && match !== "NotOlderThan") {
    throw badRequest(`resourceVersionMatch must be Exact or NotOlderThan: found ${JSON.stringify(match)}`);
  }
  if (match !== "" && version === undefined) throw badRequest("resourceVersionMatch needs a resourceVersion");
  if (version === undefined) return current;
  requireReached(version, current);
  return match === "Exact" && version !== 0 ? version : current;
}

function listMetadata(
  revision: number,
  page: readonly AnyObject[],
  { remaining, exact }: { remaining: number; exact: boolean },
): ListMetadata {
  const resourceVersion = String(revision);
  const last = page.at(-1);
  if (remaining === 0 || last === undefined) return { resourceVersion };
  const next = { resourceVersion, continue: formatContinue({ revision, ...placed(last) }) };
  return exact ? { ...next, remainingItemCount: remaining } : next;
}

function placed(object: AnyObject): { namespace: string; name: string } {
  return { namespace: object.metadata.namespace ?? "", name: object.metadata.name };
}
