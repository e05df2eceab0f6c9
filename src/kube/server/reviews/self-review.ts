/** Answers to "who am I" and "may I": `kubectl auth whoami` and `kubectl auth can-i`. Pure. */
import { type Identity, permits } from "#api";
import { isObject } from "#lib";
import { badRequest } from "../refusals.ts";

const readVerbs: ReadonlySet<string> = new Set(["get", "list", "watch"]);

/** Reading or writing is all the difference the access rules make here. */
export function mayDo(identity: Identity, verb: string): boolean {
  return permits(identity, "kube", readVerbs.has(verb) ? "read" : "write");
}

/** The posted review with its status. */
export function answerReview(kind: string, body: unknown, identity: Identity): Record<string, unknown> {
  if (!isObject(body)) throw badRequest("the request body must be an object");
  switch (kind) {
    case "SelfSubjectReview":
      return { ...body, status: { userInfo: { username: identity.name, groups: ["system:authenticated"] } } };
    case "SelfSubjectAccessReview":
      return { ...body, status: accessStatus(body, identity) };
    default:
      return { ...body, status: rulesStatus(identity) };
  }
}

function accessStatus(body: Record<string, unknown>, identity: Identity): Record<string, unknown> {
  const spec = isObject(body["spec"]) ? body["spec"] : {};
  const attributes = spec["resourceAttributes"] ?? spec["nonResourceAttributes"];
  if (!isObject(attributes))
    throw badRequest("a SelfSubjectAccessReview must have spec.resourceAttributes or spec.nonResourceAttributes");
  const verb = typeof attributes["verb"] === "string" ? attributes["verb"] : "*";
  if (mayDo(identity, verb)) return { allowed: true, reason: "the token's scopes allow it" };
  return { allowed: false, reason: "the token's scopes do not allow it" };
}

function rulesStatus(identity: Identity): Record<string, unknown> {
  const verbs = permits(identity, "kube", "write") ? ["*"] : permits(identity, "kube", "read") ? [...readVerbs] : [];
  const rules = verbs.length === 0 ? [] : [{ verbs, apiGroups: ["*"], resources: ["*"] }];
  const paths = verbs.length === 0 ? [] : [{ verbs: ["get"], nonResourceURLs: ["*"] }];
  return { resourceRules: rules, nonResourceRules: paths, incomplete: false };
}
