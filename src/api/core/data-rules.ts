/** What ConfigMaps and Secrets have in common: keys that can be file names, a size limit, and `immutable`. */
import { deepEqual, type Problem } from "#lib";

const maxBytes = 1024 * 1024;

interface Holder {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
  immutable?: boolean;
}

export function dataProblems(object: Holder, old: Holder | undefined): Problem[] {
  const keys = [...Object.keys(object.data ?? {}), ...Object.keys(object.binaryData ?? {})];
  const problems: Problem[] = keys.flatMap((key) => keyProblems(key));
  const shared = Object.keys(object.data ?? {}).filter((key) => Object.hasOwn(object.binaryData ?? {}, key));
  for (const key of shared)
    problems.push({ path: `data[${key}]`, message: "Invalid value: duplicate of key in binaryData" });
  const values = [...Object.values(object.data ?? {}), ...Object.values(object.binaryData ?? {})];
  const bytes = values.reduce((sum, value) => sum + new TextEncoder().encode(value).byteLength, 0);
  if (bytes > maxBytes) problems.push({ path: "", message: `Too long: may not be more than ${maxBytes} bytes` });
  if (old?.immutable === true) problems.push(...immutableProblems(object, old));
  return problems;
}

function keyProblems(key: string): Problem[] {
  if (key.length <= 253 && /^[-._a-zA-Z0-9]+$/.test(key) && key !== "." && !key.startsWith("..")) return [];
  const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
  return [{ path: `data[${key}]`, message: `Invalid value: ${JSON.stringify(key)}: ${rule}` }];
}

function immutableProblems(object: Holder, old: Holder): Problem[] {
  const problems: Problem[] = [];
  if (object.immutable !== true) {
    problems.push({ path: "immutable", message: "Forbidden: field is immutable when `immutable` is set" });
  }
  for (const path of ["data", "binaryData"] as const) {
    if (!deepEqual(object[path] ?? {}, old[path] ?? {})) {
      problems.push({ path, message: "Forbidden: field is immutable when `immutable` is set" });
    }
  }
  return problems;
}
