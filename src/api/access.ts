/** Who asks, and what they may do. Each room's HTTP face asks through `AccessPort`; `auth` implements it. */

/** What a token may be allowed. `admin` implies all; the rest are per area. */
export const areas = [
  "git",
  "registry",
  "kube",
  "api",
  "runner",
  "metrics",
  // Of the REST API that actions call, by the names that a workflow's `permissions` have for them.
  "actions",
  "checks",
  "deployments",
  "issues",
  "pull-requests",
  "statuses",
] as const;
export type Area = (typeof areas)[number];
export type Verb = "read" | "write";

export interface Identity {
  /** Login name shown in timelines, commits and events. */
  readonly name: string;
  /** `admin`, or `<area>:<verb>`, or `<area>:<verb>:<owner>/<repo>`; write implies read. */
  readonly scopes: readonly string[];
  /** Whom a token made for somebody counts as in the Kubernetes API, where roles say what that user may. */
  readonly user?: { readonly name: string; readonly groups: readonly string[] };
}

export interface AccessPort {
  /**
   * The identity behind an Authorization header (`Bearer <token>`, or `Basic` with the token as password and any user
   * name), or undefined. Runs in time that does not depend on how much of a token is right.
   */
  authenticate(authorization: string | undefined): Promise<Identity | undefined>;
}

/** Whether the identity may act in `area`, on `resource` (an `owner/repo`) where given. */
export function permits(identity: Identity, area: Area, verb: Verb, resource?: string): boolean {
  return identity.scopes.some((scope) => {
    if (scope === "admin") return true;
    const [scopeArea, scopeVerb, scopeResource] = scope.split(":");
    if (scopeArea !== area) return false;
    if (scopeVerb !== verb && scopeVerb !== "write") return false;
    return scopeResource === undefined || scopeResource === resource;
  });
}
