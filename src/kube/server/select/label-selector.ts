/** The text form of label selectors: `a=b,c!=d,e in (f,g),h notin (i),j,!k`. */
import { badRequest } from "../refusals.ts";

export interface LabelRequirement {
  readonly key: string;
  readonly operator: "in" | "notin" | "exists" | "absent";
  readonly values: readonly string[];
}

const keyPattern = /^(?:[A-Za-z0-9.-]+\/)?[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?$/;

/** Throws BadRequest when the text is not a selector. */
export function parseLabelSelector(text: string): readonly LabelRequirement[] {
  return splitOutsideParentheses(text)
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map((part) => parseRequirement(part, text));
}

export function matchesRequirements(
  requirements: readonly LabelRequirement[],
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  return requirements.every(({ key, operator, values }) => {
    const value = labels?.[key];
    switch (operator) {
      case "in":
        return value !== undefined && values.includes(value);
      case "notin":
        return value === undefined || !values.includes(value);
      case "exists":
        return value !== undefined;
      case "absent":
        return value === undefined;
    }
  });
}

function parseRequirement(part: string, whole: string): LabelRequirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
  if (set !== null) {
    const values = (set[3] ?? "").split(",").map((value) => value.trim());
    return requirement(set[1] ?? "", set[2] === "in" ? "in" : "notin", values, whole);
  }
  const equality = /^([^=!\s]+)\s*(==|=|!=)\s*([^=!\s]*)$/.exec(part);
  if (equality !== null) {
    return requirement(equality[1] ?? "", equality[2] === "!=" ? "notin" : "in", [equality[3] ?? ""], whole);
  }
  if (part.startsWith("!")) return requirement(part.slice(1).trim(), "absent", [], whole);
  return requirement(part, "exists", [], whole);
}

function requirement(
  key: string,
  operator: LabelRequirement["operator"],
  values: readonly string[],
  whole: string,
): LabelRequirement {
  if (!keyPattern.test(key)) throw badRequest(`unable to parse requirement: "${key}" is not a label key in "${whole}"`);
  return { key, operator, values };
}

function splitOutsideParentheses(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === "(") depth += 1;
    else if (char === ")") depth -= 1;
    else if (char === "," && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
    if (depth < 0 || depth > 1) throw badRequest(`unable to parse requirement: unexpected parenthesis in "${text}"`);
  }
  if (depth !== 0) throw badRequest(`unable to parse requirement: missing ")" in "${text}"`);
  parts.push(text.slice(start));
  return parts;
}
