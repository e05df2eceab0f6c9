/** First parts of paths that mean something else: a repository below one of them could not be reached by git. */
const reservedOwners: ReadonlySet<string> = new Set([
  "api",
  "applications",
  "assets",
  "deliveries",
  "healthz",
  "kube",
  "login",
  "metrics",
  "prometheus",
  "pulls",
  "rollouts",
  "runs",
  "token",
  "twirp",
  "v2",
]);

export function isReservedOwner(owner: string): boolean {
  return reservedOwners.has(owner.toLowerCase());
}
