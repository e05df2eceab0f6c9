/** `spec.ignoreDifferences`: fields whose difference is nobody's drift. */
import type { AnyObject, ResourceIgnoreDifferences } from "#api";
import { isObject } from "#lib";
import { keyOfObject } from "../object-key.ts";

/** The pointers that apply to the object. `*` as group or kind means any. */
export function ignoredPointers(object: AnyObject, rules: readonly ResourceIgnoreDifferences[]): string[] {
  const { group, kind, namespace, name } = keyOfObject(object);
  return rules
    .filter(
      (rule) =>
        matches(rule.group ?? "", group) &&
        matches(rule.kind, kind) &&
        (!rule.name || rule.name === name) &&
        (!rule.namespace || rule.namespace === namespace),
    )
    .flatMap((rule) => rule.jsonPointers ?? []);
}

function matches(pattern: string, value: string): boolean {
  return pattern === "*" || pattern === value;
}

/** Removes what the pointers name, in place. What is not there is no error. */
export function removePointers(object: AnyObject, pointers: readonly string[]): void {
  for (const pointer of pointers) {
    const parts = pointer
      .split("/")
      .slice(1)
      .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = parts.pop();
    let holder: unknown = object;
    for (const part of parts)
      holder = Array.isArray(holder) ? holder[Number(part)] : isObject(holder) ? holder[part] : undefined;
    if (last === undefined) continue;
    if (Array.isArray(holder)) holder.splice(Number(last), 1);
    else if (isObject(holder)) delete holder[last];
  }
}
