import { isObject } from "#lib";

/** A LabelSelector as the text form of selectors; text stays as it is. */
export function selectorText(selector: unknown): string | undefined {
  if (typeof selector === "string") return selector;
  if (!isObject(selector)) return undefined;
  const { matchLabels, matchExpressions } = selector;
  const pairs = isObject(matchLabels)
    ? Object.entries(matchLabels).map(([key, value]) => `${key}=${String(value)}`)
    : [];
  const expressions = Array.isArray(matchExpressions) ? matchExpressions.filter(isObject).map(expressionText) : [];
  return [...pairs.sort(), ...expressions].join(",");
}

function expressionText(expression: Record<string, unknown>): string {
  const key = String(expression["key"]);
  const values = Array.isArray(expression["values"]) ? expression["values"].map(String).join(",") : "";
  switch (expression["operator"]) {
    case "In":
      return `${key} in (${values})`;
    case "NotIn":
      return `${key} notin (${values})`;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return key;
  }
}
