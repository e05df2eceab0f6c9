/** Steps of field paths as text: how a list item is named in a set, and how a path is told to people. Pure. */
import { canonicalJson, isObject } from "#lib";

export function fieldStep(name: string): string {
  return `f:${name}`;
}

export function valueStep(value: unknown): string {
  return `v:${JSON.stringify(value)}`;
}

/** `keys` sorted by name, values in the same order. */
export function keyStep(keys: readonly string[], values: readonly unknown[]): string {
  const pairs = keys.map((key, index) => `${JSON.stringify(key)}:${JSON.stringify(values[index])}`);
  return `k:{${pairs.join(",")}}`;
}

/** The step as this server writes it, whoever wrote it; undefined for what is no step. */
export function canonicalStep(step: string): string | undefined {
  if (step === "." || (step.startsWith("f:") && step.length > 2)) return step;
  const kind = step.slice(0, 2);
  try {
    const value: unknown = JSON.parse(step.slice(2));
    if (kind === "v:") return `v:${JSON.stringify(value)}`;
    if (kind === "k:" && isObject(value)) return `k:${canonicalJson(value)}`;
    if (kind === "i:" && Number.isInteger(value)) return step;
  } catch {
    // Not JSON: no step.
  }
  return undefined;
}

/** `.spec.containers[name="web"].image`, as upstream writes paths in conflicts. */
export function pathText(steps: readonly string[]): string {
  return steps.map(stepText).join("");
}

function stepText(step: string): string {
  const rest = step.slice(2);
  if (step.startsWith("f:")) return `.${rest}`;
  if (step.startsWith("v:")) return `[=${rest}]`;
  if (!step.startsWith("k:")) return `[${rest}]`;
  const keys = JSON.parse(rest) as Record<string, unknown>;
  return `[${Object.entries(keys)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(",")}]`;
}
