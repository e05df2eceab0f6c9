import { isGranularObject, itemShape, stepOfItem } from "./items.ts";
import { fieldShape, type Shape } from "./shape.ts";
import { fieldStep, pathText, valueStep } from "./steps.ts";

export interface Ambiguity {
  readonly path: readonly string[];
  readonly why: string;
}

/** The first list whose items an applier did not name apart; what it would own could not be said. Pure. */
export function ambiguousItems(value: unknown, shape: Shape, path: readonly string[] = []): Ambiguity | undefined {
  if (isGranularObject(value, shape)) {
    for (const [name, inner] of Object.entries(value)) {
      const found = ambiguousItems(inner, fieldShape(shape, name), [...path, fieldStep(name)]);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (!Array.isArray(value) || (shape.kind !== "keyed" && shape.kind !== "set")) return undefined;
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    const step = shape.kind === "keyed" ? stepOfItem(item, shape) : valueStep(item);
    if (step === undefined) {
      const keys = shape.kind === "keyed" ? shape.names.join(", ") : "";
      return {
        path,
        why: `element ${index}: associative list with keys has an element that omits key field "${keys}"`,
      };
    }
    if (seen.has(step)) return { path, why: `duplicate entries for key ${pathText([step])}` };
    seen.add(step);
    const found = ambiguousItems(item, itemShape(shape), [...path, step]);
    if (found !== undefined) return found;
  }
  return undefined;
}
