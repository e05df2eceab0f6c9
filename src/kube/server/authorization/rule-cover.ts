/** Whether somebody's rules hold all that other rules would give: nobody may grant what he does not have. Pure. */
import { pathMatches, ruleText, type WholeRule } from "./policy-rule.ts";

/** What of `wanted` no rule of `held` covers, in rules of one verb and one thing each; empty when all is covered. */
export function uncovered(held: readonly WholeRule[], wanted: readonly WholeRule[]): WholeRule[] {
  return wanted.flatMap(singleRules).filter((single) => !held.some((rule) => covers(rule, single)));
}

/** The missing rights as upstream prints them: verbs of the same resource together, in the order of their text. */
export function missingText(missing: readonly WholeRule[]): string {
  const byThing = Map.groupBy(missing, ({ verbs: _verbs, ...thing }) => JSON.stringify(thing));
  const texts = [...byThing.values()].flatMap((rules) => {
    const [first] = rules;
    // Paths are told one by one.
    if (first === undefined || first.nonResourceURLs.length > 0) return rules.map(ruleText);
    return [ruleText({ ...first, verbs: rules.flatMap(({ verbs }) => verbs) })];
  });
  return [...new Set(texts)].sort().join("\n");
}

/** The same rights in rules of one verb, one group, one resource and at most one name, or of one path. */
function singleRules(rule: WholeRule): WholeRule[] {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
  const names = resourceNames.length === 0 ? [[]] : resourceNames.map((name) => [name]);
  const none = { apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: [] };
  const onResources = apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb) =>
        names.map((resourceName) => ({
          ...none,
          verbs: [verb],
          apiGroups: [group],
          resources: [resource],
          resourceNames: resourceName,
        })),
      ),
    ),
  );
  const onPaths = nonResourceURLs.flatMap((path) =>
    verbs.map((verb) => ({ ...none, verbs: [verb], nonResourceURLs: [path] })),
  );
  return [...onResources, ...onPaths];
}

function covers(held: WholeRule, single: WholeRule): boolean {
  return (
    hasAll(held.verbs, single.verbs) &&
    hasAll(held.apiGroups, single.apiGroups) &&
    single.resources.every((resource) => coversResource(held.resources, resource)) &&
    coversNames(held.resourceNames, single.resourceNames) &&
    single.nonResourceURLs.every((path) => held.nonResourceURLs.some((own) => pathMatches(own, path)))
  );
}

function hasAll(held: readonly string[], wanted: readonly string[]): boolean {
  return held.includes("*") || wanted.every((item) => held.includes(item));
}

/** Every log of every resource covers the log of pods. */
function coversResource(held: readonly string[], resource: string): boolean {
  if (held.includes("*") || held.includes(resource)) return true;
  const slash = resource.indexOf("/");
  return slash >= 0 && held.includes(`*/${resource.slice(slash + 1)}`);
}

/** Rights over all names cover any; rights over some never cover all. */
function coversNames(held: readonly string[], wanted: readonly string[]): boolean {
  if (held.length === 0) return true;
  return wanted.length > 0 && wanted.every((name) => held.includes(name));
}
