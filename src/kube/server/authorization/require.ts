/** From a request to what it wants to do, and the refusal when its user may not. */
import { flag, type KubeRequest } from "../http/kube-request.ts";
import type { ResourcePath } from "../http/request-path.ts";
import { isStreamSubresource } from "../streams/stream-subresources.ts";
import type { KubeUser } from "../authentication/user.ts";
import type { ResourceAttributes } from "./attributes.ts";
import type { Authorizer } from "./authorizer.ts";
import { refusal } from "./refusal.ts";

/** Throws Forbidden. */
export function requireResource(authorizer: Authorizer, user: KubeUser, wanted: ResourceAttributes): void {
  const { allowed, reason } = authorizer.authorize(user, wanted);
  if (!allowed) throw refusal(user, wanted, reason);
}

/** For what is no resource: discovery, versions. Throws Forbidden. */
export function requirePath(authorizer: Authorizer, request: Pick<KubeRequest, "method" | "path" | "user">): void {
  const wanted = { kind: "path", verb: request.method.toLowerCase(), path: decoded(request.path) } as const;
  const { allowed, reason } = authorizer.authorize(request.user, wanted);
  if (!allowed) throw refusal(request.user, wanted, reason);
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path) || "/";
  } catch {
    // Not a path that anybody could be allowed by its name.
    return path;
  }
}

/** What a request for a resource wants, by upstream's reading of its URL. Pure. */
export function attributesOf(
  request: Pick<KubeRequest, "method" | "query">,
  { group, plural, subresource = "", namespace, name }: ResourcePath,
): ResourceAttributes {
  const verb = isStream(group, plural, subresource) ? "create" : verbOf(request, name);
  // What is done to a namespace is done in it: who is admin of a namespace may read the namespace itself.
  const own = group === "" && plural === "namespaces" ? name : undefined;
  return {
    kind: "resource",
    verb,
    group,
    resource: plural,
    subresource,
    namespace: namespace ?? own ?? "",
    name: name ?? (verb === "list" || verb === "watch" ? selectedName(request.query) : ""),
  };
}

/**
 * Who talks with a container does more than read, whatever the method: WebSockets always begin with GET, which would
 * let whoever may read a pod execute in it.
 */
function isStream(group: string, plural: string, subresource: string): boolean {
  return group === "" && plural === "pods" && isStreamSubresource(subresource);
}

function verbOf({ method, query }: Pick<KubeRequest, "method" | "query">, name: string | undefined): string {
  switch (method) {
    case "GET":
    case "HEAD":
      if (name !== undefined) return "get";
      return flag(query, "watch") ? "watch" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "PATCH":
      return "patch";
    case "DELETE":
      return name === undefined ? "deletecollection" : "delete";
    default:
      return method.toLowerCase();
  }
}

/** A list that can only be of one object counts as asking for that one: so who may get one object can watch it. */
function selectedName(query: URLSearchParams): string {
  const terms = (query.get("fieldSelector") ?? "").split(",");
  const names = terms.map((term) => /^\s*metadata\.name\s*==?\s*([^\s=!]+)\s*$/.exec(term)?.[1]);
  return names.find((found) => found !== undefined) ?? "";
}
