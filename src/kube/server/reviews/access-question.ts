/** What the spec of an access review asks. Pure. */
import { formatProblem, isObject, type Problem } from "#lib";
import { KubeError } from "../../client/kube-error.ts";
import type { KubeUser } from "../authentication/user.ts";
import type { Attributes } from "../authorization/attributes.ts";

type Spec = Record<string, unknown>;

/** Throws Invalid unless it asks for one thing. `namespace`: of a LocalSubjectAccessReview, which asks within it. */
export function accessQuestion(kind: string, spec: Spec, namespace?: string): Attributes {
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec;
  if (isObject(resource) === isObject(path)) {
    const message = isObject(path)
      ? "Invalid value: cannot be specified in combination with resourceAttributes"
      : "Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified";
    const field = isObject(path) ? "spec.nonResourceAttributes" : "spec.resourceAttributes";
    throw invalidReview(kind, { path: field, message });
  }
  if (isObject(resource)) return resourceQuestion(kind, resource, namespace);
  if (namespace !== undefined) {
    const message = "Invalid value: disallowed on this kind of request";
    throw invalidReview(kind, { path: "spec.nonResourceAttributes", message });
  }
  const { verb, path: url } = path as Spec;
  return { kind: "path", verb: textOf(verb), path: textOf(url) };
}

function resourceQuestion(kind: string, attributes: Spec, namespace: string | undefined): Attributes {
  const place = textOf(attributes["namespace"]);
  if (namespace !== undefined && place !== namespace) {
    const message = `Invalid value: ${JSON.stringify(place)}: must match metadata.namespace`;
    throw invalidReview(kind, { path: "spec.resourceAttributes.namespace", message });
  }
  return {
    kind: "resource",
    verb: textOf(attributes["verb"]),
    group: textOf(attributes["group"]),
    resource: textOf(attributes["resource"]),
    subresource: textOf(attributes["subresource"]),
    namespace: place,
    name: textOf(attributes["name"]),
  };
}

/** Whom the review is about: exactly that user and those groups, nothing is added. Throws Invalid when it is nobody. */
export function subjectOfReview(kind: string, spec: Spec): KubeUser {
  const groups = Array.isArray(spec["groups"]) ? spec["groups"].filter((group) => typeof group === "string") : [];
  const name = textOf(spec["user"]);
  if (name === "" && groups.length === 0) {
    const message = 'Invalid value: "": at least one of user or group must be specified';
    throw invalidReview(kind, { path: "spec.user", message });
  }
  return { name, groups };
}

function invalidReview(kind: string, problem: Problem): KubeError {
  const group = "authorization.k8s.io";
  return new KubeError("Invalid", `${kind}.${group} "" is invalid: ${formatProblem(problem)}`, {
    group,
    kind,
    causes: [{ reason: "FieldValueInvalid", message: problem.message, field: problem.path }],
  });
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
