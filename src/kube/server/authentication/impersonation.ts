/** `--as`: somebody who may asks as somebody else. The headers are upstream's. */
import type { Authorizer } from "../authorization/authorizer.ts";
import type { ResourceAttributes } from "../authorization/attributes.ts";
import { refusal } from "../authorization/refusal.ts";
import { badRequest } from "../refusals.ts";
import {
  anonymousName,
  authenticatedGroup,
  type KubeUser,
  serviceAccountGroups,
  splitServiceAccountName,
  unauthenticatedGroup,
} from "./user.ts";

/** Every value of every header, names in lower case. */
type HeaderValues = Readonly<Record<string, readonly string[] | undefined>>;

/** Those that matter here, of Node's list of names and values: a group's name may hold a comma, so none are joined. */
export function impersonationHeaders(raw: readonly string[]): HeaderValues {
  const values: Record<string, string[]> = {};
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? "").toLowerCase();
    if (name.startsWith("impersonate-")) (values[name] ??= []).push(raw[at + 1] ?? "");
  }
  return values;
}

interface Impersonation {
  readonly user: KubeUser;
  /** What the asker must be allowed to `impersonate`. */
  readonly targets: readonly Pick<ResourceAttributes, "group" | "resource" | "subresource" | "namespace" | "name">[];
}

/** The user to go on as. Throws Forbidden when the asker may not be that user, BadRequest for half a request. */
export function impersonate(authorizer: Authorizer, asker: KubeUser, headers: HeaderValues): KubeUser {
  const wanted = readImpersonation(headers);
  if (wanted === undefined) return asker;
  for (const target of wanted.targets) {
    const attributes = { kind: "resource", verb: "impersonate", ...target } as const;
    const { allowed, reason } = authorizer.authorize(asker, attributes);
    if (!allowed) throw refusal(asker, attributes, reason);
  }
  return wanted.user;
}

const extraPrefix = "impersonate-extra-";
const authentication = "authentication.k8s.io";

/** Undefined when nobody is to be impersonated. Pure. */
function readImpersonation(headers: HeaderValues): Impersonation | undefined {
  const [name = ""] = headers["impersonate-user"] ?? [];
  const [uid = ""] = headers["impersonate-uid"] ?? [];
  const groups = (headers["impersonate-group"] ?? []).filter((group) => group !== "");
  const extra = readExtra(headers);
  const extras = Object.entries(extra);
  if (name === "") {
    if (groups.length === 0 && uid === "" && extras.length === 0) return undefined;
    throw badRequest("groups, uid and extra values can be impersonated together with a user only");
  }
  const account = splitServiceAccountName(name);
  const plain = { group: "", subresource: "", namespace: "" };
  const targets = [
    account === undefined
      ? { ...plain, resource: "users", name }
      : { ...plain, resource: "serviceaccounts", namespace: account.namespace, name: account.name },
    ...groups.map((group) => ({ ...plain, resource: "groups", name: group })),
    ...extras.flatMap(([key, values]) =>
      values.map((value) => ({
        ...plain,
        group: authentication,
        resource: "userextras",
        subresource: key,
        name: value,
      })),
    ),
    ...(uid === "" ? [] : [{ ...plain, group: authentication, resource: "uids", name: uid }]),
  ];
  const own = account !== undefined && groups.length === 0 ? serviceAccountGroups(account.namespace) : groups;
  const user = {
    name,
    groups: withStanding(name, own),
    ...(uid === "" ? {} : { uid }),
    ...(extras.length === 0 ? {} : { extra }),
  };
  return { user, targets };
}

/** Whoever is known counts as authenticated, unless the asker says otherwise. */
function withStanding(name: string, groups: readonly string[]): readonly string[] {
  const standing = name === anonymousName ? unauthenticatedGroup : authenticatedGroup;
  if (groups.includes(standing) || groups.includes(unauthenticatedGroup)) return groups;
  return [...groups, standing];
}

function readExtra(headers: HeaderValues): Record<string, readonly string[]> {
  const extra: Record<string, readonly string[]> = {};
  for (const [header, values = []] of Object.entries(headers)) {
    if (!header.startsWith(extraPrefix) || values.length === 0) continue;
    extra[decodeKey(header.slice(extraPrefix.length))] = values;
  }
  return extra;
}

/** Keys that no header can carry come percent-encoded. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
