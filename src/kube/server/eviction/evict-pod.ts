/** POST `pods/<name>/eviction`: deletes the pod when the budgets that select it allow that. */
import { type AnyObject, type Pod, type PodDisruptionBudget, podDisruptionBudgets, pods } from "#api";
import { isObject, toTimestamp } from "#lib";
import type { Answer } from "../http/answer.ts";
import { isDryRun } from "../http/kube-request.ts";
import type { DeleteRequest } from "../object-api.ts";
import { badRequest } from "../refusals.ts";
import { deleteRequestOf } from "../verbs/delete.ts";
import { type ObjectCall, placeOf, requireBody } from "../verbs/resource-call.ts";
import { plainWrite } from "../write/write-request.ts";
import { planEviction } from "./plan-eviction.ts";

const manager = "tidegate-eviction";

export function evictPod(call: ObjectCall): Answer {
  const { objects } = call.face;
  const request = evictionRequest(call);
  const pod = objects.get(call.kind, placeOf(call)) as unknown as Pod;
  const now = toTimestamp(call.face.clock.now());
  const plan = planEviction(pod, budgetsOf(call), now);
  if (plan.kind === "refuse") throw plan.refusal;
  if (plan.kind === "ambiguous") return statusAnswer(500, { status: "Failure", message: plan.message });
  const exact = plan.kind === "delete" && plan.exact ? { resourceVersion: pod.metadata.resourceVersion ?? "" } : {};
  const deletion = { ...request, preconditions: { ...exact, ...request.preconditions } };
  // Refused before anything is spent or written, when it is not the pod that was meant.
  objects.delete(call.kind, placeOf(call), { ...deletion, dryRun: true });
  if (request.dryRun !== true) {
    if (plan.kind === "spend") writeBudget(call, plan.budget, plan.status);
    deletePod(call, deletion, now);
  }
  return statusAnswer(201, { status: "Success" });
}

/** Upstream gives these no reason. */
function statusAnswer(code: number, status: { readonly status: string; readonly message?: string }): Answer {
  return { kind: "body", code, body: { kind: "Status", apiVersion: "v1", metadata: {}, ...status, code } };
}

function evictionRequest(call: ObjectCall): DeleteRequest {
  const body = requireBody(call);
  if (!isObject(body) || body["kind"] !== "Eviction")
    throw badRequest("not a Eviction object: expected policy/v1, kind Eviction");
  const metadata = isObject(body["metadata"]) ? body["metadata"] : {};
  if (metadata["name"] !== undefined && metadata["name"] !== call.name) {
    throw badRequest("name in URL does not match name in Eviction object");
  }
  const options = body["deleteOptions"] ?? {};
  if (!isObject(options)) throw badRequest("deleteOptions of an Eviction must be an object");
  const request = deleteRequestOf(options, new URLSearchParams());
  return { ...request, dryRun: request.dryRun === true || isDryRun(call.request) };
}

function budgetsOf(call: ObjectCall): readonly PodDisruptionBudget[] {
  const { objects } = call.face;
  const kind = objects.kinds.serving(podDisruptionBudgets);
  const { namespace } = call.path;
  const found = objects.list(kind, { namespace, matches: () => true, selective: false });
  return found as unknown as PodDisruptionBudget[];
}

/** Until the controller has seen the pod go it does not count it as there: the budget cannot be spent twice. */
function writeBudget(call: ObjectCall, budget: PodDisruptionBudget, status: PodDisruptionBudget["status"]): void {
  const { objects } = call.face;
  const spent = { ...budget, status } as unknown as AnyObject;
  const write = { ...plainWrite(manager), subresource: "status" } as const;
  objects.update(objects.kinds.serving(podDisruptionBudgets), budget.metadata, spent, write);
}

/** The pod says why it goes, for controllers that tell a disruption from a failure. */
function deletePod(call: ObjectCall, request: DeleteRequest, now: string): void {
  const { objects } = call.face;
  const place = placeOf(call);
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime: now,
  };
  const write = { ...plainWrite(manager), subresource: "status" } as const;
  const kind = objects.kinds.serving(pods);
  const { status = {} } = objects.get(kind, place) as unknown as Pod;
  const others = (status.conditions ?? []).filter(({ type }) => type !== condition.type);
  objects.patch(kind, place, { type: "merge", patch: { status: { conditions: [...others, condition] } } }, write);
  const { resourceVersion: _seen, ...preconditions } = request.preconditions ?? {};
  objects.delete(call.kind, place, { ...request, preconditions });
}
