/** The values of a rollout's analysis args, and their places in a metric. */
import type { AnalysisArgument, Metric, Rollout, RolloutAnalysisArgument } from "#api";
import { isObject } from "#lib";
import type { Made } from "./templates.ts";

export interface RevisionHashes {
  readonly latest: string;
  readonly stable: string;
}

/** Gives every arg its value as of now: hashes of revisions, fields of the Rollout. */
export function argumentsOf(
  args: readonly RolloutAnalysisArgument[],
  rollout: Rollout,
  hashes: RevisionHashes,
): Made<AnalysisArgument[]> {
  const values: AnalysisArgument[] = [];
  for (const { name, value, valueFrom } of args) {
    const path = valueFrom?.fieldRef?.fieldPath;
    if (valueFrom?.podTemplateHashValue !== undefined) {
      values.push({ name, value: valueFrom.podTemplateHashValue === "Stable" ? hashes.stable : hashes.latest });
    } else if (path !== undefined) {
      const field = fieldValue(rollout, path);
      if (field.kind === "refused") return field;
      values.push({ name, value: field.value });
    } else values.push({ name, value: value ?? "" });
  }
  return { kind: "made", value: values };
}

/** `metadata.labels['app']`, `spec.template.spec.containers[0].name`, `status.canary.weights.canary.weight`. */
function fieldValue(rollout: Rollout, path: string): Made<string> {
  const keys = [...path.matchAll(/\['([^']*)'\]|\["([^"]*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(
    ([, single, double, index, word]) => single ?? double ?? index ?? word ?? "",
  );
  let value: unknown = rollout;
  for (const key of keys) {
    if (Array.isArray(value) && !/^\d+$/.test(key)) return { kind: "refused", message: `invalid index '${key}'` };
    if (Array.isArray(value) && Number(key) >= value.length) {
      return { kind: "refused", message: `index ${key} out of range` };
    }
    if (Array.isArray(value)) value = value[Number(key)];
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return { kind: "refused", message: `invalid path ${path} in rollout` };
  }
  if (value === null || value === undefined) return { kind: "refused", message: `invalid path ${path} in rollout` };
  if (typeof value === "object") {
    return { kind: "refused", message: `path ${path} in rollout must terminate in a primitive value` };
  }
  return { kind: "made", value: typeof value === "string" ? value : JSON.stringify(value) };
}

const tag = /\{\{([^{}]*)\}\}/g;

/**
 * The metric with every `{{args.x}}` in its texts replaced. Upstream replaces in the metric's JSON text; replacing in
 * the values comes to the same and cannot break out of them.
 */
export function substitute(metric: Metric, values: ReadonlyMap<string, string>): Made<Metric> {
  const unknown: string[] = [];
  const replaced = mapTexts(metric, (text) =>
    text.replace(tag, (whole, inner: string) => {
      const name = inner.trim();
      const value = name.startsWith("args.") ? values.get(name.slice("args.".length)) : undefined;
      if (value === undefined) unknown.push(whole);
      return value ?? whole;
    }),
  );
  if (unknown[0] !== undefined) return { kind: "refused", message: `failed to resolve ${unknown[0]}` };
  return { kind: "made", value: replaced as Metric };
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, mapTexts(inner, change)]));
}
