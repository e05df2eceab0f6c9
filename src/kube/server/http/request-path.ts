/** What a URL path of the Kubernetes API asks for. Pure. */
export type RequestPath =
  | { readonly kind: "root" | "issuer" | "issuer-keys" }
  | { readonly kind: "health" | "version" | "api" | "apis" | "openapi-v2" | "openapi-v3" | "unknown" }
  | { readonly kind: "openapi-group"; readonly group: string; readonly version: string }
  | { readonly kind: "group"; readonly group: string }
  | { readonly kind: "group-version"; readonly group: string; readonly version: string }
  | ResourcePath;

export interface ResourcePath {
  readonly kind: "resource";
  readonly group: string;
  readonly version: string;
  readonly namespace: string | undefined;
  readonly plural: string;
  readonly name: string | undefined;
  readonly subresource: string | undefined;
}

const fixed: Readonly<Record<string, RequestPath>> = {
  healthz: { kind: "health" },
  livez: { kind: "health" },
  readyz: { kind: "health" },
  "": { kind: "root" },
  ".well-known/openid-configuration": { kind: "issuer" },
  "openid/v1/jwks": { kind: "issuer-keys" },
  version: { kind: "version" },
  api: { kind: "api" },
  apis: { kind: "apis" },
  "openapi/v2": { kind: "openapi-v2" },
  "openapi/v3": { kind: "openapi-v3" },
};

const unknown: RequestPath = { kind: "unknown" };

/** `path` without the prefix the face is mounted at and without query, still percent-encoded. */
export function parseRequestPath(path: string): RequestPath {
  const segments = decodeSegments(path);
  if (segments === undefined) return unknown;
  const whole = segments.join("/");
  const known = Object.hasOwn(fixed, whole) ? fixed[whole] : undefined;
  if (known !== undefined) return known;
  const [root, second, third, ...rest] = segments;
  if (root === "healthz" || root === "livez" || root === "readyz") return { kind: "health" };
  if (root === "openapi" && second === "v3") return openapiGroup(third, rest);
  if (root === "api") return groupVersion("", second, segments.slice(2));
  if (root !== "apis" || second === undefined) return unknown;
  if (third === undefined) return { kind: "group", group: second };
  return groupVersion(second, third, rest);
}

function decodeSegments(path: string): string[] | undefined {
  try {
    return path
      .split("/")
      .filter((segment) => segment !== "")
      .map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function openapiGroup(root: string | undefined, rest: readonly string[]): RequestPath {
  const [first, second] = rest;
  if (root === "api" && first !== undefined) return { kind: "openapi-group", group: "", version: first };
  if (root !== "apis" || first === undefined || second === undefined) return unknown;
  return { kind: "openapi-group", group: first, version: second };
}

function groupVersion(group: string, version: string | undefined, rest: readonly string[]): RequestPath {
  if (version === undefined) return unknown;
  if (rest.length === 0) return { kind: "group-version", group, version };
  const [first, second, third, ...more] = rest;
  if (first === "namespaces" && second !== undefined && third !== undefined && !isNamespaceSubresource(third)) {
    return resource({ group, version, namespace: second }, [third, ...more]);
  }
  return resource({ group, version, namespace: undefined }, rest);
}

/** `namespaces/x/status` is of the namespace x; `namespaces/x/pods` are the pods in it. */
function isNamespaceSubresource(segment: string): boolean {
  return segment === "status" || segment === "finalize";
}

function resource(
  place: { group: string; version: string; namespace: string | undefined },
  segments: readonly string[],
): RequestPath {
  const [plural, name, subresource, ...more] = segments;
  if (plural === undefined || more.length > 0) return unknown;
  return { kind: "resource", ...place, plural, name, subresource };
}
