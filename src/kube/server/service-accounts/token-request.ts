import { isObject, toTimestamp } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import type { Answer } from "../http/answer.ts";
import { isDryRun } from "../http/kube-request.ts";
import { badRequest } from "../refusals.ts";
import { type ObjectCall, requireBody } from "../verbs/resource-call.ts";
import { type AccountTokenRequest, defaultExpirationSeconds } from "./account-tokens.ts";

type Body = Record<string, unknown>;

const minSeconds = 600;
const maxSeconds = 2 ** 32;
const maxAudiences = 100;

/** POST `serviceaccounts/<name>/token`: the request with its status, which has the token. */
export async function requestToken(call: ObjectCall): Promise<Answer> {
  const body = requireBody(call);
  if (!isObject(body)) throw badRequest("the request body must be an object");
  const { namespace = "" } = call.path;
  const metadata = isObject(body["metadata"]) ? body["metadata"] : {};
  requireSame("metadata.name", metadata["name"], call.name, "must match the service account name if specified");
  const where = "must match the service account namespace if specified";
  requireSame("metadata.namespace", metadata["namespace"], namespace, where);
  const spec = isObject(body["spec"]) ? body["spec"] : {};
  const request = tokenRequestOf({ namespace, serviceAccount: call.name }, spec);
  const issued = await call.face.accounts.issue(request);
  const answer = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { ...metadata, name: call.name, namespace, creationTimestamp: toTimestamp(call.face.clock.now()) },
    spec: { ...spec, audiences: issued.audiences, expirationSeconds: request.expirationSeconds },
    // A dry run shows what would come of it, and gives nothing away.
    status: isDryRun(call.request)
      ? { token: "", expirationTimestamp: issued.expiresAt }
      : { token: issued.token, expirationTimestamp: issued.expiresAt },
  };
  return { kind: "body", code: 201, body: answer };
}

/** What the spec asks for. Throws Invalid. Pure. */
function tokenRequestOf(
  account: Pick<AccountTokenRequest, "namespace" | "serviceAccount">,
  spec: Body,
): AccountTokenRequest & { readonly expirationSeconds: number } {
  const { audiences = [], expirationSeconds = defaultExpirationSeconds, boundObjectRef } = spec;
  if (!Array.isArray(audiences) || audiences.length > maxAudiences || !audiences.every(isText)) {
    throw invalidTokenRequest("spec.audiences", `Invalid value: must be a list of at most ${maxAudiences} names`);
  }
  if (typeof expirationSeconds !== "number" || !Number.isInteger(expirationSeconds)) {
    throw invalidTokenRequest("spec.expirationSeconds", "Invalid value: must be an integer");
  }
  const found = `Invalid value: ${expirationSeconds}`;
  if (expirationSeconds < minSeconds) {
    throw invalidTokenRequest("spec.expirationSeconds", `${found}: may not specify a duration less than 10 minutes`);
  }
  if (expirationSeconds > maxSeconds) {
    const why = "may not specify a duration larger than 2^32 seconds";
    throw invalidTokenRequest("spec.expirationSeconds", `${found}: ${why}`);
  }
  const bound = isObject(boundObjectRef) ? { boundTo: boundObject(boundObjectRef) } : {};
  return { ...account, audiences, expirationSeconds, ...bound };
}

function boundObject({ apiVersion, kind, name, uid }: Body): NonNullable<AccountTokenRequest["boundTo"]> {
  if ((kind !== "Pod" && kind !== "Secret" && kind !== "Node") || apiVersion !== "v1") {
    throw badRequest(`cannot bind token to object of type ${String(apiVersion)}, Kind=${String(kind)}`);
  }
  return { kind, name: isText(name) ? name : "", ...(isText(uid) ? { uid } : {}) };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function requireSame(field: string, found: unknown, wanted: string, why: string): void {
  if (found === undefined || found === "" || found === wanted) return;
  throw invalidTokenRequest(field, `Invalid value: ${JSON.stringify(found)}: ${why}`);
}

function invalidTokenRequest(field: string, message: string): KubeError {
  return new KubeError("Invalid", `TokenRequest.authentication.k8s.io "" is invalid: ${field}: ${message}`, {
    group: "authentication.k8s.io",
    kind: "TokenRequest",
    causes: [{ reason: "FieldValueInvalid", message, field }],
  });
}
