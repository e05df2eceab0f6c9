/** What one rule of a role allows. Rules only ever add. Pure. */
import type { PolicyRule } from "#api";
import type { Attributes, ResourceAttributes } from "./attributes.ts";

/** A rule with every list there. */
export type WholeRule = { readonly [Field in keyof Required<PolicyRule>]: readonly string[] };

const none: readonly string[] = [];

export function wholeRule(rule: Partial<PolicyRule>): WholeRule {
  return {
    verbs: listOf(rule.verbs),
    apiGroups: listOf(rule.apiGroups),
    resources: listOf(rule.resources),
    resourceNames: listOf(rule.resourceNames),
    nonResourceURLs: listOf(rule.nonResourceURLs),
  };
}

/** Objects may have null where a list is meant. */
function listOf(value: readonly string[] | null | undefined): readonly string[] {
  return value ?? none;
}

export function ruleAllows(rule: WholeRule, wanted: Attributes): boolean {
  if (!hasOrAll(rule.verbs, wanted.verb)) return false;
  if (wanted.kind === "path") return rule.nonResourceURLs.some((pattern) => pathMatches(pattern, wanted.path));
  return (
    hasOrAll(rule.apiGroups, wanted.group) &&
    rule.resources.some((pattern) => resourceMatches(pattern, wanted)) &&
    // A rule with names reaches no collection: what has no name is none of them.
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(wanted.name))
  );
}

function hasOrAll(list: readonly string[], wanted: string): boolean {
  return list.includes("*") || list.includes(wanted);
}

// `pods` does not reach `pods/log`; `pods/log`, `*/log` and `*` do.
function resourceMatches(pattern: string, { resource, subresource }: ResourceAttributes): boolean {
  if (pattern === "*") return true;
  if (subresource === "") return pattern === resource;
  return pattern === `${resource}/${subresource}` || pattern === `*/${subresource}`;
}

/** Only a star at the end stands for more: `/healthz/*`. */
export function pathMatches(pattern: string, path: string): boolean {
  if (pattern === path) return true;
  return pattern.endsWith("*") && path.startsWith(pattern.replace(/\*+$/, ""));
}

/** As upstream prints rules in refusals: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function ruleText(rule: WholeRule): string {
  const parts = [
    ["APIGroups", rule.apiGroups],
    ["Resources", rule.resources],
    ["NonResourceURLs", rule.nonResourceURLs],
    ["ResourceNames", rule.resourceNames],
    ["Verbs", rule.verbs],
  ] as const;
  const texts = parts
    .filter(([, list]) => list.length > 0)
    .map(([name, list]) => `${name}:[${list.map((item) => JSON.stringify(item)).join(" ")}]`);
  return `{${texts.join(", ")}}`;
}
