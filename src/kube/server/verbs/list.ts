import type { AnyObject } from "#api";
import type { Answer } from "../http/answer.ts";
import { ok } from "../http/answer.ts";
import { wholeNumber } from "../http/kube-request.ts";
import { KubeError } from "../../client/kube-error.ts";
import { checkListOptions } from "../http/option-rules.ts";
import { asVersion } from "../object-api.ts";
import { badRequest } from "../refusals.ts";
import { type ContinueToken, formatContinue, parseContinue } from "../read/continue-token.ts";
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
  checkListOptions(query);
  const limit = /^-\d+$/.test(query.get("limit") ?? "") ? 0 : (wholeNumber(query, "limit") ?? 0);
  const token = query.get("continue") ?? "";
  const position = token === "" ? undefined : parseContinue(token);
  if (position !== undefined && !["", "0"].includes(query.get("resourceVersion") ?? "")) {
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  // A token without a revision goes on in the present, knowing that the pages do not fit together.
  const revision =
    position === undefined ? wantedRevision(query, store.revision) : (position.revision ?? store.revision);
  requireReached(revision, store.revision);
  if (position?.revision !== undefined && position.revision < store.compacted) throw inconsistent(position);
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

/** `Exact` asks for the past, as a limit beside a version does for older clients; all else is served by the present. */
function wantedRevision(query: URLSearchParams, current: number): number {
  const version = parseResourceVersion(query.get("resourceVersion") ?? undefined);
  if (version === undefined) return current;
  requireReached(version, current);
  const match = query.get("resourceVersionMatch") ?? "";
  const exact = match === "Exact" || (match === "" && Number(query.get("limit") ?? 0) > 0);
  return exact && version !== 0 ? version : current;
}

/** The state the pages show is gone; who can live with a list that does not fit together may go on with this token. */
function inconsistent({ namespace, name }: ContinueToken): KubeError {
  const message =
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without " +
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or " +
    "deleted between the time the first chunk was returned and now may show up in the list.";
  return new KubeError("Expired", message, { continue: formatContinue({ namespace, name }) });
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
