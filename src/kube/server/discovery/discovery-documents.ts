/** The documents of discovery: everything in one (`apidiscovery.k8s.io/v2`), and group by group for older clients. Pure. */
import type { GroupVersions, ServedResource } from "./served-resources.ts";

type Body = Record<string, unknown>;

/** Content-Type that marks an aggregated document; clients compare it as text. */
export const aggregatedContentType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** `/api` is asked for the core group, `/apis` for the others. */
export function aggregatedDiscovery(groups: readonly GroupVersions[]): Body {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: groups.map(({ group, versions }) => ({
      metadata: { name: group, creationTimestamp: null },
      versions: versions.map(({ version, resources }) => ({
        version,
        freshness: "Current",
        resources: resources.map(aggregatedResource),
      })),
    })),
  };
}

function aggregatedResource(resource: ServedResource): Body {
  const { group, version, kind, plural, singular, namespaced, verbs, shortNames, categories, subresources } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
    ...(subresources.length === 0
      ? {}
      : {
          subresources: subresources.map(({ name, responseKind, verbs: own }) => ({
            subresource: name,
            responseKind,
            verbs: own,
          })),
        }),
  };
}

/** `GET /api` without aggregation. */
export function coreVersions(groups: readonly GroupVersions[]): Body {
  const versions = groups.filter(({ group }) => group === "").flatMap((entry) => entry.versions.map((v) => v.version));
  return { kind: "APIVersions", versions, serverAddressByClientCIDRs: [] };
}

/** `GET /apis` without aggregation. */
export function groupList(groups: readonly GroupVersions[]): Body {
  return { kind: "APIGroupList", apiVersion: "v1", groups: groups.filter(({ group }) => group !== "").map(groupBody) };
}

/** `GET /apis/<group>`. */
export function groupDocument(groups: readonly GroupVersions[], group: string): Body | undefined {
  const found = groups.find((entry) => entry.group === group);
  return found === undefined ? undefined : { kind: "APIGroup", apiVersion: "v1", ...groupBody(found) };
}

function groupBody({ group, versions }: GroupVersions): Body {
  const entries = versions.map(({ version }) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: entries, preferredVersion: entries[0] };
}

/** `GET /api/v1` and `GET /apis/<group>/<version>`. */
export function resourceList(groups: readonly GroupVersions[], group: string, version: string): Body | undefined {
  const found = groups
    .find((entry) => entry.group === group)
    ?.versions.find((candidate) => candidate.version === version);
  if (found === undefined) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources: found.resources.flatMap(legacyResources),
  };
}

function legacyResources(resource: ServedResource): Body[] {
  const { group, version, kind, plural, singular, namespaced, verbs, shortNames, categories, subresources } = resource;
  const main = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
  const below = subresources.map(({ name, responseKind, verbs: own }) => ({
    name: `${plural}/${name}`,
    singularName: "",
    namespaced,
    // Said only where it differs from the list's own.
    ...(responseKind.group === group ? {} : { group: responseKind.group, version: responseKind.version }),
    ...(responseKind.group === group && responseKind.version !== version ? { version: responseKind.version } : {}),
    kind: responseKind.kind,
    verbs: own,
  }));
  return [main, ...below];
}
