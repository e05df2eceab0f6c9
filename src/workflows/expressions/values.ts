/** JSON-like values seen as the expression package's data, converted only where an expression looks. */
import { data } from "@actions/expressions";
import type { ContextValue } from "../protocol.ts";

type ExpressionData = data.ExpressionData;
type Pair = ReturnType<data.Dictionary["pairs"]>[number];

/**
 * An object as a dictionary. The package's own dictionary drops keys that JavaScript objects inherit ("constructor")
 * and copies everything; a `github` context with its event is large and each expression reads one field of it.
 */
class ObjectData extends data.Dictionary {
  readonly #source: { readonly [key: string]: ContextValue };

  constructor(source: { readonly [key: string]: ContextValue }) {
    super();
    this.#source = source;
  }

  override add(): never {
    throw new Error("Cannot add to a context: contexts are read only");
  }

  /** Keys do not distinguish case; of two that differ in it alone the first counts. */
  override get(key: string): ExpressionData | undefined {
    const wanted = key.toLowerCase();
    for (const [name, value] of Object.entries(this.#source)) {
      if (value !== undefined && name.toLowerCase() === wanted) return toData(value);
    }
    return undefined;
  }

  override values(): ExpressionData[] {
    return this.pairs().map((pair) => pair.value);
  }

  override pairs(): Pair[] {
    return Object.entries(this.#source)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ({ key, value: toData(value) }));
  }
}

/**
 * An object is the same as itself alone, whatever it holds: each has one piece of data for as long as it lives. Contexts
 * are read only, so none is ever wrong.
 */
const known = new WeakMap<object, ExpressionData>();

export function toData(value: ContextValue): ExpressionData {
  if (value === null) return new data.Null();
  switch (typeof value) {
    case "string":
      return new data.StringData(value);
    case "number":
      return new data.NumberData(value);
    case "boolean":
      return new data.BooleanData(value);
    default: {
      const found = known.get(value);
      if (found !== undefined) return found;
      const made = Array.isArray(value)
        ? arrayData(value as readonly ContextValue[])
        : new ObjectData(value as { readonly [key: string]: ContextValue });
      known.set(value, made);
      return made;
    }
  }
}

/** One at a time: the package spreads its arguments, and a long array would overflow the stack. */
function arrayData(items: readonly ContextValue[]): data.Array {
  const array = new data.Array();
  for (const item of items) array.add(toData(item));
  return array;
}

export function fromData(value: ExpressionData): ContextValue {
  if (value instanceof data.StringData) return value.value;
  if (value instanceof data.NumberData) return value.number();
  if (value instanceof data.BooleanData) return value.value;
  if (value instanceof data.Array) return value.values().map(fromData);
  if (value instanceof data.Dictionary) {
    return Object.fromEntries(value.pairs().map((pair) => [pair.key, fromData(pair.value)]));
  }
  return null;
}
