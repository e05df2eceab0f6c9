/**
 * How much an expression may build: 10 MiB of text for all results of one evaluation together, as the Actions runner
 * has it. A few nested `format` calls make a megabyte out of a kilobyte, so sizes are known before the text is made.
 */
import { data, wellKnownFunctions } from "@actions/expressions";
import type { FunctionDefinition } from "@actions/expressions/funcs/info";
import { errorMessage } from "#lib";
import type { ContextValue } from "../protocol.ts";
import { parseLenientJson } from "./lenient-json.ts";
import { toData } from "./values.ts";

// The package looks functions up in a plain object: `constructor()` would be one of them.
Object.setPrototypeOf(wellKnownFunctions, null);

const maxResultBytes = 10 * 1024 * 1024;

/** Strings of the evaluator are UTF-16. */
const bytesPerCharacter = 2;

type ExpressionData = data.ExpressionData;

export class Budget {
  readonly maxLength: number;
  #spent = 0;

  constructor(maxBytes = maxResultBytes) {
    this.maxLength = Math.floor(maxBytes / bytesPerCharacter);
  }

  /** Throws when a result of this length is not allowed any more. */
  spend(length: number, what: string): void {
    this.#spent += length;
    if (this.#spent <= this.maxLength) return;
    const limit = `${this.maxLength} characters (${(this.maxLength * bytesPerCharacter) / 1024 / 1024} MiB)`;
    throw new Error(`Results of ${what} have over ${limit}. Make them smaller`);
  }
}

/** The built-in functions that make text, each within the budget. */
export function boundedFunctions(budget: Budget): FunctionDefinition[] {
  return Object.entries(wellKnownFunctions).map(([name, definition]) => ({
    ...definition,
    name,
    call(...args: ExpressionData[]): ExpressionData {
      budget.spend(resultLength(name, args, budget.maxLength), `${definition.name}()`);
      return name === "fromjson" ? fromJson(args[0]) : definition.call(...args);
    },
  }));
}

/** In place of the package's own, which reads by the standard alone and has no place for a key called "constructor". */
function fromJson(value: ExpressionData | undefined): ExpressionData {
  const text = value?.coerceString() ?? "";
  try {
    return toData(JSON.parse(text) as ContextValue);
  } catch {
    return toData(lenient(text));
  }
}

function lenient(text: string): ContextValue {
  if (text.trim() === "") throw new Error("Cannot read JSON in fromJSON: the text is empty");
  try {
    return parseLenientJson(text);
  } catch (error) {
    throw new Error(`Cannot read JSON in fromJSON: ${errorMessage(error)}`, { cause: error });
  }
}

/** An upper bound, cheap to know. */
function resultLength(name: string, args: readonly ExpressionData[], max: number): number {
  switch (name) {
    case "format":
      return formatLength(args);
    case "join":
      return joinLength(args);
    case "tojson":
      return args[0] === undefined ? 0 : jsonLength(args[0], 0, max);
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

/** Counts until the limit is passed, so that a huge value costs no more than a large one. */
function jsonLength(value: ExpressionData, depth: number, max: number): number {
  const indent = 2 * (depth + 1) + 3;
  if (value instanceof data.Array) {
    let length = indent;
    for (const item of value.values()) {
      length += indent + jsonLength(item, depth + 1, max);
      if (length > max) break;
    }
    return length;
  }
  if (value instanceof data.Dictionary) {
    let length = indent;
    for (const { key, value: inner } of value.pairs()) {
      length += indent + key.length + 4 + jsonLength(inner, depth + 1, max);
      if (length > max) break;
    }
    return length;
  }
  return value.coerceString().length + 2;
}
