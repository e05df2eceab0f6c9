import { linearPattern } from "#lib";

/** A series' identity: label names to values, `__name__` among them. */
export type Labels = Readonly<Record<string, string>>;

/** Equal for equal label sets, whatever the order of their keys. */
export function labelsKey(labels: Labels): string {
  const names = Object.keys(labels).sort();
  return names.map((name) => `${name}\u0001${labels[name]}`).join("\u0002");
}

export function withoutLabels(labels: Labels, dropped: ReadonlySet<string>): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !dropped.has(name)));
}

export function onlyLabels(labels: Labels, kept: ReadonlySet<string>): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => kept.has(name)));
}

export type MatchOperator = "=" | "!=" | "=~" | "!~";

export interface Matcher {
  readonly name: string;
  readonly operator: MatchOperator;
  readonly value: string;
  readonly matches: (value: string) => boolean;
}

/** Regular expressions are anchored at both ends, as Prometheus does. @throws SyntaxError for a bad one */
export function createMatcher(name: string, operator: MatchOperator, value: string): Matcher {
  return { name, operator, value, matches: predicate(operator, value) };
}

function predicate(operator: MatchOperator, value: string): (candidate: string) => boolean {
  if (operator === "=") return (candidate) => candidate === value;
  if (operator === "!=") return (candidate) => candidate !== value;
  const matches = remembered(linearPattern(`^(?:${value})$`, { dotAll: true }).test);
  return operator === "=~" ? matches : (candidate) => !matches(candidate);
}

/** Thousands of series share a few label values. */
const maxRemembered = 10_000;

function remembered(test: (candidate: string) => boolean): (candidate: string) => boolean {
  const known = new Map<string, boolean>();
  return (candidate) => {
    let result = known.get(candidate);
    if (result === undefined) {
      result = test(candidate);
      if (known.size < maxRemembered) known.set(candidate, result);
    }
    return result;
  };
}

/** A missing label is an empty one. */
export function matchesAll(labels: Labels, matchers: readonly Matcher[]): boolean {
  return matchers.every((matcher) => matcher.matches(labels[matcher.name] ?? ""));
}
