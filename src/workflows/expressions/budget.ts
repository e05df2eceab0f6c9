/**
 * How much an expression may build. A few nested `format` calls make a megabyte out of a kilobyte, so sizes are known
 * before the text is made: at most 1 MB for one result, 10 MB for all results of one evaluation together.
 */
import { data, wellKnownFunctions } from "@actions/expressions";
import type { FunctionDefinition } from "@actions/expressions/funcs/info";

const resultLimits = { one: 1024 * 1024, all: 10 * 1024 * 1024 } as const;

type ExpressionData = data.ExpressionData;

export class Budget {
  #spent = 0;

  /** Throws when a result of this length is not allowed any more. */
  spend(length: number, what: string): void {
    this.#spent += length;
    if (length > resultLimits.one) {
      throw new Error(`Result of ${what} has over ${resultLimits.one} characters. Make it smaller`);
    }
    if (this.#spent > resultLimits.all) {
      throw new Error(`Results of ${what} together have over ${resultLimits.all} characters. Make them smaller`);
    }
  }
}

/** The built-in functions that make text, each within the budget. */
export function boundedFunctions(budget: Budget): FunctionDefinition[] {
  return Object.entries(wellKnownFunctions).map(([name, definition]) => ({
    ...definition,
    name,
    call(...args: ExpressionData[]): ExpressionData {
      budget.spend(resultLength(name, args), `${definition.name}()`);
      return definition.call(...args);
    },
  }));
}

/** An upper bound, cheap to know. */
function resultLength(name: string, args: readonly ExpressionData[]): number {
  switch (name) {
    case "format":
      return formatLength(args);
    case "join":
      return joinLength(args);
    case "tojson":
      return args[0] === undefined ? 0 : jsonLength(args[0], 0);
    case "fromjson":
      return textLength(args[0]);
    default:
      return 0;
  }
}

function textLength(value: ExpressionData | undefined): number {
  return value?.primitive === true ? value.coerceString().length : "Object".length;
}

function formatLength(args: readonly ExpressionData[]): number {
  const template = args[0]?.coerceString() ?? "";
  let length = template.length;
  for (const match of template.matchAll(/\{(\d+)/g)) length += textLength(args[1 + Number(match[1])]);
  return length;
}

function joinLength(args: readonly ExpressionData[]): number {
  const [items, separator] = args;
  if (!(items instanceof data.Array)) return textLength(items);
  const values = items.values();
  return values.reduce((sum, item) => sum + textLength(item), values.length * Math.max(1, textLength(separator)));
}

/** Counts until the limit of one result is passed, so that a huge value costs no more than a large one. */
function jsonLength(value: ExpressionData, depth: number): number {
  const indent = 2 * (depth + 1) + 3;
  if (value instanceof data.Array) {
    let length = indent;
    for (const item of value.values()) {
      length += indent + jsonLength(item, depth + 1);
      if (length > resultLimits.one) break;
    }
    return length;
  }
  if (value instanceof data.Dictionary) {
    let length = indent;
    for (const { key, value: inner } of value.pairs()) {
      length += indent + key.length + 4 + jsonLength(inner, depth + 1);
      if (length > resultLimits.one) break;
    }
    return length;
  }
  return value.coerceString().length + 2;
}
