/** Everything discovery tells of, in one list: the kinds with their subresources, and what can only be created. Pure. */
import { apiVersionOf } from "#api";
import { metricsGroup, metricsVersion } from "../usage/metrics-api.ts";
import type { ServedKind } from "../registry/served-kind.ts";

interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface ServedSubresource {
  readonly name: string;
  readonly responseKind: GroupVersionKind;
  readonly verbs: readonly string[];
}

export interface ServedResource {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly subresources: readonly ServedSubresource[];
}

const allVerbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"] as const;
const streamVerbs = ["create", "get"] as const;
const subresourceVerbs = ["get", "patch", "update"] as const;

/** Questions a client asks by creating an object that is answered and not kept. */
export const reviewKinds = [
  { group: "authentication.k8s.io", version: "v1", kind: "SelfSubjectReview", plural: "selfsubjectreviews" },
  { group: "authentication.k8s.io", version: "v1", kind: "TokenReview", plural: "tokenreviews" },
  { group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectAccessReview", plural: "selfsubjectaccessreviews" },
  { group: "authorization.k8s.io", version: "v1", kind: "SelfSubjectRulesReview", plural: "selfsubjectrulesreviews" },
  { group: "authorization.k8s.io", version: "v1", kind: "SubjectAccessReview", plural: "subjectaccessreviews" },
  {
    group: "authorization.k8s.io",
    version: "v1",
    kind: "LocalSubjectAccessReview",
    plural: "localsubjectaccessreviews",
  },
] as const;

export function servedResources(kinds: readonly ServedKind[]): readonly ServedResource[] {
  return [...kinds.map(resourceOf), ...reviewKinds.map(reviewResource), ...usageResources];
}

export interface GroupVersions {
  readonly group: string;
  /** Preferred first. */
  readonly versions: readonly { readonly version: string; readonly resources: readonly ServedResource[] }[];
}

/** The core group first, the others by name; versions as `apiVersionOrder` says. */
export function byGroup(resources: readonly ServedResource[]): readonly GroupVersions[] {
  const groups = Map.groupBy(resources, ({ group }) => group);
  return [...groups.keys()].sort().map((group) => {
    const versions = Map.groupBy(groups.get(group) ?? [], ({ version }) => version);
    const ordered = [...versions.keys()].sort(apiVersionOrder);
    return { group, versions: ordered.map((version) => ({ version, resources: versions.get(version) ?? [] })) };
  });
}

/** Stable before beta before alpha, then the higher number first: v2, v1, v1beta1, v1alpha1. */
function apiVersionOrder(a: string, b: string): number {
  const left = rank(a);
  const right = rank(b);
  for (const [index, value] of left.entries()) {
    const difference = (right[index] ?? 0) - value;
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : 1;
}

function rank(version: string): readonly number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return [0, 0, 0];
  const stability = match[2] === undefined ? 3 : match[2] === "beta" ? 2 : 1;
  return [stability, Number(match[1]), Number(match[3] ?? 0)];
}

function resourceOf(kind: ServedKind): ServedResource {
  const { group, version, plural, namespaced } = kind.type;
  return {
    group,
    version,
    kind: kind.type.kind,
    plural,
    singular: kind.singular,
    namespaced,
    verbs: allVerbs,
    shortNames: kind.shortNames ?? [],
    categories: kind.categories ?? [],
    subresources: subresourcesOf(kind),
  };
}

function subresourcesOf(kind: ServedKind): ServedSubresource[] {
  const { group, version } = kind.type;
  const own = { group, version, kind: kind.type.kind };
  const scale = { group: "autoscaling", version: "v1", kind: "Scale" };
  const tokenRequest = { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" };
  return [
    ...(apiVersionOf(kind.type) === "v1" && kind.type.plural === "serviceaccounts"
      ? [{ name: "token", responseKind: tokenRequest, verbs: ["create"] }]
      : []),
    ...(apiVersionOf(kind.type) === "v1" && kind.type.plural === "pods"
      ? [
          { name: "attach", responseKind: { ...own, kind: "PodAttachOptions" }, verbs: streamVerbs },
          { name: "eviction", responseKind: { group: "policy", version: "v1", kind: "Eviction" }, verbs: ["create"] },
          { name: "exec", responseKind: { ...own, kind: "PodExecOptions" }, verbs: streamVerbs },
          { name: "log", responseKind: own, verbs: ["get"] },
          { name: "portforward", responseKind: { ...own, kind: "PodPortForwardOptions" }, verbs: streamVerbs },
        ]
      : []),
    ...(kind.scale === undefined ? [] : [{ name: "scale", responseKind: scale, verbs: subresourceVerbs }]),
    ...(kind.status ? [{ name: "status", responseKind: own, verbs: subresourceVerbs }] : []),
  ];
}

/** Measured rather than stored: to be read, and no more. */
const usageResources: readonly ServedResource[] = [
  { kind: "NodeMetrics", plural: "nodes", namespaced: false },
  { kind: "PodMetrics", plural: "pods", namespaced: true },
].map((resource) => ({
  ...resource,
  group: metricsGroup,
  version: metricsVersion,
  singular: "",
  verbs: ["get", "list"],
  shortNames: [],
  categories: [],
  subresources: [],
}));

function reviewResource(review: (typeof reviewKinds)[number]): ServedResource {
  return {
    ...review,
    singular: review.kind.toLowerCase(),
    namespaced: review.kind === "LocalSubjectAccessReview",
    verbs: ["create"],
    shortNames: [],
    categories: [],
    subresources: [],
  };
}
