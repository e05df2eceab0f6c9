/**
 * `strategy.matrix`, evaluated, made into combinations: the cross product without what `exclude` matches; each `include`
 * adds its new keys to the combinations it matches, and one that matches none is a combination of its own.
 */
import { equals } from "@actions/expressions/result";
import { isObject } from "#lib";
import { toData } from "../expressions/values.ts";
import { ExpressionFailure } from "../errors.ts";
import type { ContextObject, ContextValue } from "../protocol.ts";

/** GitHub's limit of jobs one matrix may make. */
const maxCombinations = 256;

export interface Combination {
  /** The `matrix` context. */
  readonly values: ContextObject;
  /** What tells it from its siblings, for the name: values of the combination without what `include` added. */
  readonly segments: readonly string[];
}

/** Throws `ExpressionFailure` when the value is no matrix. */
export function expandMatrix(matrix: ContextValue): readonly Combination[] {
  if (!isContextObject(matrix)) throw new ExpressionFailure('Cannot expand "matrix": it must be a mapping of lists');
  const include = itemsOf(matrix, "include");
  const exclude = itemsOf(matrix, "exclude");
  const axes = Object.entries(matrix).filter(([key]) => !["include", "exclude"].includes(key.toLowerCase()));
  refuseUnknownAxes(exclude, axes);
  const kept = crossProduct(axes).filter((values) => !exclude.some((filter) => matches(filter, values)));
  const names = new Set(axes.map(([key]) => key.toLowerCase()));
  const includes = include.map((item) => splitInclude(item, names));
  const used = new Set<number>();
  const combinations = kept.map((values): Combination => {
    const extra: Record<string, ContextValue> = {};
    for (const [index, item] of includes.entries()) {
      if (!matches(item.filter, values)) continue;
      used.add(index);
      Object.assign(extra, item.extra);
    }
    return { values: { ...values, ...extra }, segments: segmentsOf(values) };
  });
  for (const [index, item] of includes.entries()) {
    if (used.has(index)) continue;
    const values = { ...item.filter, ...item.extra };
    combinations.push({ values, segments: segmentsOf(values) });
  }
  if (combinations.length > maxCombinations) {
    const found = `it makes ${combinations.length} jobs of ${maxCombinations} allowed`;
    throw new ExpressionFailure(`Cannot expand "matrix": ${found}. Use fewer values`);
  }
  return combinations;
}

function isContextObject(value: ContextValue | undefined): value is ContextObject {
  return isObject(value);
}

function itemsOf(matrix: ContextObject, wanted: "include" | "exclude"): readonly ContextObject[] {
  const value = Object.entries(matrix).find(([key]) => key.toLowerCase() === wanted)?.[1];
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value))
    throw new ExpressionFailure(`Cannot expand "matrix": "${wanted}" must be a list of mappings`);
  return value.map((item: ContextValue) => {
    if (!isContextObject(item) || Object.keys(item).length === 0) {
      throw new ExpressionFailure(`Cannot expand "matrix": each item of "${wanted}" must be a mapping with values`);
    }
    return item;
  });
}

const remedyOfEmpty = 'Give it at least one value, leave it out, or skip the job by "if"';

/** One that names no list of the matrix was meant otherwise: GitHub refuses it, too. */
function refuseUnknownAxes(
  exclude: readonly ContextObject[],
  axes: readonly (readonly [string, ContextValue])[],
): void {
  const names = axes.map(([key]) => key);
  const known = new Set(names.map((key) => key.toLowerCase()));
  const unknown = exclude.flatMap((item) => Object.keys(item)).find((key) => !known.has(key.toLowerCase()));
  if (unknown === undefined) return;
  const lists = names.length === 0 ? "none" : names.join(", ");
  throw new ExpressionFailure(
    `Cannot expand "matrix": "exclude" names "${unknown}", which is no list of the matrix. Its lists are ${lists}`,
  );
}

function crossProduct(axes: readonly (readonly [string, ContextValue])[]): readonly ContextObject[] {
  if (axes.length === 0) return [];
  let product: readonly ContextObject[] = [{}];
  for (const [key, values] of axes) {
    if (!Array.isArray(values)) throw new ExpressionFailure(`Cannot expand "matrix": "${key}" must be a list`);
    if (values.length === 0)
      throw new ExpressionFailure(`Cannot expand "matrix": list "${key}" is empty. ${remedyOfEmpty}`);
    const size = product.length * values.length;
    // Excludes may bring a larger product under the limit; 20 times is more than anyone means.
    if (size > maxCombinations * 20) {
      throw new ExpressionFailure(
        `Cannot expand "matrix": it has over ${maxCombinations * 20} combinations. Use fewer`,
      );
    }
    product = product.flatMap((before) => values.map((value: ContextValue) => ({ ...before, [key]: value })));
  }
  return product;
}

function splitInclude(
  item: ContextObject,
  axes: ReadonlySet<string>,
): { readonly filter: ContextObject; readonly extra: ContextObject } {
  const entries = Object.entries(item);
  return {
    filter: Object.fromEntries(entries.filter(([key]) => axes.has(key.toLowerCase()))),
    extra: Object.fromEntries(entries.filter(([key]) => !axes.has(key.toLowerCase()))),
  };
}

/** Every leaf of the filter equals, by the rules of `==`, what stands at the same place. An empty filter matches all. */
function matches(filter: ContextValue, value: ContextValue | undefined): boolean {
  if (Array.isArray(filter)) {
    const items: readonly ContextValue[] = Array.isArray(value) ? value : [];
    return filter.every((item: ContextValue, index) => matches(item, items[index]));
  }
  if (isContextObject(filter)) {
    const pairs = isContextObject(value) ? Object.entries(value) : [];
    return Object.entries(filter).every(([key, inner]) =>
      matches(inner, pairs.find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1]),
    );
  }
  return equals(toData(value ?? null), toData(filter));
}

/** Leaves that say something: booleans, numbers and texts that are not empty. */
function segmentsOf(value: ContextValue): readonly string[] {
  if (value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item: ContextValue) => segmentsOf(item));
  if (isContextObject(value)) return Object.values(value).flatMap((item) => segmentsOf(item));
  const text = toData(value).coerceString();
  return text === "" ? [] : [text];
}

const maxNameLength = 100;

/** `test (20, linux)`, at most 100 characters. */
export function jobName(base: string, segments: readonly string[]): string {
  const name = segments.length === 0 ? base : `${base} (${segments.join(", ")})`;
  return name.length > maxNameLength ? `${name.slice(0, maxNameLength - 3)}...` : name;
}
