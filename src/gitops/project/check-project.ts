/** What a project lets its Applications do. Pure. */
import type { AppProject, Application, ApplicationDestination, GroupKindPattern } from "#api";
import { matchesGlob } from "./glob.ts";

export const inClusterServer = "https://kubernetes.default.svc";
const inClusterName = "in-cluster";

/** Sentences for `InvalidSpecError`; none when the project permits repository, destination and namespace. */
export function projectRefusals(application: Application, project: AppProject | undefined): string[] {
  const name = application.spec.project ?? "default";
  if (project === undefined)
    return [`Application references project "${name}" which does not exist: create it or use "default"`];
  const refusals: string[] = [];
  const { source, destination } = application.spec;
  if (
    source !== undefined &&
    !permits(project.spec.sourceRepos ?? [], (pattern) => matchesRepository(pattern, source.repoURL))
  ) {
    refusals.push(`Application repository "${shownURL(source.repoURL)}" is not permitted in project "${name}"`);
  }
  if (!permitsDestination(project, destination)) {
    const where = `server "${destination.server ?? destination.name ?? ""}" and namespace "${destination.namespace ?? ""}"`;
    refusals.push(`Application destination ${where} do not match any of the allowed destinations in project "${name}"`);
  }
  const namespace = application.metadata.namespace ?? "";
  const allowed = ["argocd", ...(project.spec.sourceNamespaces ?? [])];
  if (!allowed.some((pattern) => matchesGlob(pattern, namespace, "none"))) {
    refusals.push(
      `Project "${name}" takes no applications from namespace "${namespace}": add it to its sourceNamespaces`,
    );
  }
  if ((project.spec.syncWindows ?? []).length > 0) {
    refusals.push(
      `Project "${name}" has syncWindows, which this version does not enforce: remove them or use another project`,
    );
  }
  return refusals;
}

/** Whether an object of that kind may be applied, and where. */
export function permitsObject(
  project: AppProject,
  object: { readonly group: string; readonly kind: string; readonly namespace: string; readonly name: string },
): boolean {
  const { spec } = project;
  if (object.namespace === "") {
    const listed = (rules: readonly GroupKindPattern[]): boolean => rules.some((rule) => matchesKind(rule, object));
    return listed(spec.clusterResourceWhitelist ?? []) && !listed(spec.clusterResourceBlacklist ?? []);
  }
  const allowed = spec.namespaceResourceWhitelist?.some((rule) => matchesKind(rule, object)) ?? true;
  const denied = (spec.namespaceResourceBlacklist ?? []).some((rule) => matchesKind(rule, object));
  return allowed && !denied && permitsDestination(project, { server: inClusterServer, namespace: object.namespace });
}

export function isInCluster({ server, name }: ApplicationDestination): boolean {
  return server === undefined ? name === inClusterName : server.replace(/\/+$/, "") === inClusterServer;
}

/** As upstream's documentation says, not its code: any allow, and no deny (`!pattern`). */
function permits(patterns: readonly string[], matches: (pattern: string) => boolean): boolean {
  const denied = patterns.some((pattern) => pattern.startsWith("!") && matches(pattern.slice(1)));
  return !denied && patterns.some((pattern) => !pattern.startsWith("!") && matches(pattern));
}

function permitsDestination(project: AppProject, destination: ApplicationDestination): boolean {
  return permits((project.spec.destinations ?? []).map(destinationText), (text) =>
    matchesDestination(text, destination),
  );
}

/** A rule as one text, so that a `!` of either part makes the whole rule a denial. */
function destinationText({ server, name, namespace = "" }: ApplicationDestination): string {
  const parts = [server ?? "", name ?? "", namespace];
  const denies = parts.some((part) => part.startsWith("!"));
  return `${denies ? "!" : ""}${parts.map((part) => part.replace(/^!/, "")).join("\n")}`;
}

function matchesDestination(text: string, { namespace = "" }: ApplicationDestination): boolean {
  const [server = "", name = "", pattern = ""] = text.split("\n");
  // Every destination that gets this far is this cluster, whichever of its two names the application uses.
  const here = server !== "" ? matchesGlob(server, inClusterServer, "none") : matchesGlob(name, inClusterName, "none");
  return here && matchesGlob(pattern, namespace, "none");
}

function matchesRepository(pattern: string, repoURL: string): boolean {
  return pattern === "*" || matchesGlob(normaliseURL(pattern), normaliseURL(repoURL), "/");
}

/** `git@host:org/repo.git` and `https://host/org/repo` differ only in how one gets there, but rules name one of them. */
function normaliseURL(url: string): string {
  return url
    .trim()
    .replace(/\/+$/, "")
    .replace(/\.git$/, "")
    .toLowerCase();
}

function matchesKind(rule: GroupKindPattern, object: { group: string; kind: string; name: string }): boolean {
  return (
    matchesGlob(rule.group, object.group, "none") &&
    matchesGlob(rule.kind, object.kind, "none") &&
    (rule.name === undefined || rule.name === "" || matchesGlob(rule.name, object.name, "none"))
  );
}

/** A URL may carry a password. */
export function shownURL(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/@]*@/i, "$1");
}
