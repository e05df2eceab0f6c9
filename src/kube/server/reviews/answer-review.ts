/** Answers to "who am I", "may I", "may they" and "whose token is this": asked by creating an object that is not kept. */
import { isObject } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import type { KubeUser } from "../authentication/user.ts";
import type { HeldRules } from "../authorization/authorizer.ts";
import type { WholeRule } from "../authorization/policy-rule.ts";
import type { reviewKinds } from "../discovery/served-resources.ts";
import type { KubeFace } from "../http/kube-request.ts";
import { badRequest } from "../refusals.ts";
import { accessQuestion, subjectOfReview } from "./access-question.ts";

export type ReviewKind = (typeof reviewKinds)[number]["kind"];

type Body = Record<string, unknown>;

export interface ReviewRequest {
  readonly body: unknown;
  /** Who asks. */
  readonly user: KubeUser;
  /** Of the URL. */
  readonly namespace: string | undefined;
}

/** The posted review with its status. Throws BadRequest or Invalid for questions that cannot be answered. */
export async function answerReview(face: KubeFace, kind: ReviewKind, request: ReviewRequest): Promise<Body> {
  const { body, user, namespace } = request;
  if (!isObject(body)) throw badRequest("the request body must be an object");
  if ((namespace !== undefined) !== (kind === "LocalSubjectAccessReview")) {
    throw new KubeError("NotFound", "the server could not find the requested resource");
  }
  const spec = isObject(body["spec"]) ? body["spec"] : {};
  const review = { ...body, metadata: isObject(body["metadata"]) ? body["metadata"] : {} };
  switch (kind) {
    case "SelfSubjectReview":
      return { ...review, status: { userInfo: userInfo(user) } };
    case "SelfSubjectRulesReview":
      return { ...review, spec: {}, status: rulesStatus(face.authorizer.rulesOf(user, rulesNamespace(spec))) };
    case "SelfSubjectAccessReview":
      return { ...review, status: accessStatus(face, user, accessQuestion(kind, spec)) };
    case "SubjectAccessReview":
      return { ...review, status: accessStatus(face, subjectOfReview(kind, spec), accessQuestion(kind, spec)) };
    case "LocalSubjectAccessReview":
      return {
        ...review,
        status: accessStatus(face, subjectOfReview(kind, spec), accessQuestion(kind, spec, namespace)),
      };
    case "TokenReview":
      return { ...review, status: await tokenStatus(face, spec) };
  }
}

function accessStatus(
  { authorizer }: KubeFace,
  user: KubeUser,
  wanted: Parameters<KubeFace["authorizer"]["authorize"]>[1],
): Body {
  const { allowed, reason } = authorizer.authorize(user, wanted);
  return { allowed, ...(reason === "" ? {} : { reason }) };
}

function rulesNamespace(spec: Body): string {
  const { namespace } = spec;
  if (typeof namespace === "string" && namespace !== "") return namespace;
  throw badRequest("no namespace on request");
}

function rulesStatus({ rules, errors }: HeldRules): Body {
  return {
    resourceRules: rules.filter(({ resources }) => resources.length > 0).map(resourceRule),
    nonResourceRules: rules
      .filter(({ nonResourceURLs }) => nonResourceURLs.length > 0)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
    ...(errors.length === 0 ? {} : { evaluationError: errors.join(", ") }),
  };
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: WholeRule): Body {
  return { verbs, apiGroups, resources, ...(resourceNames.length === 0 ? {} : { resourceNames }) };
}

async function tokenStatus({ authenticator }: KubeFace, spec: Body): Promise<Body> {
  const { token, audiences } = spec;
  if (typeof token !== "string" || token === "") {
    throw badRequest("token is required for TokenReview in authentication");
  }
  const asked = Array.isArray(audiences) ? audiences.filter((item) => typeof item === "string") : [];
  try {
    const found = await authenticator.authenticateToken(token, asked.length === 0 ? undefined : asked);
    if (found === undefined) return { user: {}, error: "the token is not known, or not for these audiences" };
    return { authenticated: true, user: userInfo(found.user), audiences: found.audiences };
  } catch (error) {
    if (error instanceof KubeError) return { user: {}, error: error.message };
    throw error;
  }
}

function userInfo({ name, uid, groups, extra }: KubeUser): Body {
  return {
    username: name,
    ...(uid === undefined ? {} : { uid }),
    groups,
    ...(extra === undefined ? {} : { extra }),
  };
}
