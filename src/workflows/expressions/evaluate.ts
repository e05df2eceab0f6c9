/**
 * Expressions evaluated by the official package, with GitHub's coercions. Where an expression may read a context at all
 * is checked when the file is read; here every context exists, and one that was not given is empty.
 */
import { data, Evaluator, Lexer, Parser, type Expr } from "@actions/expressions";
import type { FunctionDefinition } from "@actions/expressions/funcs/info";
import { falsy } from "@actions/expressions/result";
import { errorMessage } from "#lib";
import { ExpressionFailure } from "../errors.ts";
import type { ContextObject, ContextValue } from "../protocol.ts";
import { Budget, boundedFunctions } from "./budget.ts";
import { completeCondition } from "./condition.ts";
import { splitTemplate } from "./template.ts";
import { fromData, toData } from "./values.ts";

/** Contexts by name. `forgejo`, `forge` and `gitea` mean `github` and need not be given. */
export type Contexts = Readonly<Partial<Record<ContextName, ContextObject>>>;

const contextNames = [
  "github",
  "env",
  "vars",
  "secrets",
  "needs",
  "matrix",
  "strategy",
  "inputs",
  "steps",
  "job",
  "jobs",
  "runner",
] as const;
export type ContextName = (typeof contextNames)[number];

const githubAliases: readonly string[] = ["forgejo", "forge", "gitea"];

/** What a place adds to the built-in functions; one that is absent is refused by name. */
export interface ExpressionFunctions {
  readonly success?: (...jobs: string[]) => boolean;
  readonly failure?: (...jobs: string[]) => boolean;
  readonly always?: () => boolean;
  readonly cancelled?: () => boolean;
  /** Throws to fail the evaluation. */
  readonly hashFiles?: (...patterns: string[]) => string;
}

/** The value of an expression written without `${{ }}`. Throws `ExpressionFailure`. */
export function evaluateExpression(
  expression: string,
  contexts: Contexts,
  functions: ExpressionFunctions = {},
  maxBytes?: number,
): ContextValue {
  return fromData(evaluate(expression, contexts, functions, new Budget(maxBytes)));
}

/** What may still be built: results of expressions, and texts put together of them, which were counted once already. */
interface Budgets {
  readonly results: Budget;
  readonly texts: Budget;
}

/** The text with each `${{ }}` replaced by its value as text. Throws `ExpressionFailure`. */
export function evaluateTemplate(text: string, contexts: Contexts, functions: ExpressionFunctions = {}): string {
  return templateWithin(text, contexts, functions, { results: new Budget(), texts: new Budget() });
}

function templateWithin(text: string, contexts: Contexts, functions: ExpressionFunctions, budgets: Budgets): string {
  if (!text.includes("${{")) return text;
  let result = "";
  for (const segment of splitTemplate(text)) {
    const part =
      segment.kind === "text"
        ? segment.text
        : evaluate(segment.expression, contexts, functions, budgets.results).coerceString();
    spend(budgets.texts, part.length, text);
    result += part;
  }
  return result;
}

/** As `evaluateTemplate`, but a text that is one expression and nothing else keeps the type of its value. */
export function evaluateValue(text: string, contexts: Contexts, functions: ExpressionFunctions = {}): ContextValue {
  return valueWithin(text, contexts, functions, { results: new Budget(), texts: new Budget() });
}

function valueWithin(text: string, contexts: Contexts, functions: ExpressionFunctions, budgets: Budgets): ContextValue {
  if (!text.includes("${{")) return text;
  const [only, ...others] = splitTemplate(text);
  if (only?.kind !== "expression" || others.length > 0) return templateWithin(text, contexts, functions, budgets);
  return fromData(evaluate(only.expression, contexts, functions, budgets.results));
}

/** A key that stands for all pairs of the object its value evaluates to. */
export const insertKey = "${{ insert }}";

function isInsert(key: string): boolean {
  return /^\$\{\{\s*insert\s*\}\}$/i.test(key.trim());
}

/**
 * Names and texts with their expressions filled in. Throws `ExpressionFailure`, also when what stands for several pairs
 * is no object.
 */
export function evaluateRecord(
  record: Readonly<Record<string, string>>,
  contexts: Contexts,
  functions: ExpressionFunctions = {},
): Record<string, string> {
  const filled = evaluateTree(record, contexts, functions) as ContextObject;
  return Object.fromEntries(Object.entries(filled).map(([key, value]) => [key, textOf(value)]));
}

/** A value as text, by the rules of expressions. */
export function textOf(value: ContextValue): string {
  return typeof value === "string" ? value : toData(value).coerceString();
}

/**
 * Every text inside the value evaluated as by `evaluateValue`; for `matrix` and the like. What all of them make together
 * is limited as one result is.
 */
export function evaluateTree(
  value: ContextValue,
  contexts: Contexts,
  functions: ExpressionFunctions = {},
): ContextValue {
  return treeWithin(value, contexts, functions, { results: new Budget(), texts: new Budget() });
}

function treeWithin(
  value: ContextValue,
  contexts: Contexts,
  functions: ExpressionFunctions,
  budgets: Budgets,
): ContextValue {
  if (typeof value === "string") return valueWithin(value, contexts, functions, budgets);
  if (typeof value !== "object" || value === null) return value;
  const inside = (inner: ContextValue): ContextValue => treeWithin(inner, contexts, functions, budgets);
  if (Array.isArray(value)) return value.map((item: ContextValue) => inside(item));
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]): [string, ContextValue][] => {
      const filled = inside(inner);
      if (!isInsert(key)) return [[templateWithin(key, contexts, functions, budgets), filled]];
      if (isContextObject(filled)) return Object.entries(filled);
      throw new ExpressionFailure(
        `Cannot evaluate "${excerpt(textOf(inner))}": it must be an object of names and values`,
      );
    }),
  );
}

function isContextObject(value: ContextValue): value is ContextObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether an `if` holds; with or without `${{ }}` around it, and completed by `success() &&` when it names no status
 * function. Throws `ExpressionFailure`.
 */
export function evaluateIf(condition: string, contexts: Contexts, functions: ExpressionFunctions): boolean {
  const expression = completeCondition(condition);
  return !falsy(evaluate(expression, contexts, functions, new Budget()));
}

function evaluate(
  expression: string,
  contexts: Contexts,
  functions: ExpressionFunctions,
  budget: Budget,
): data.ExpressionData {
  try {
    if (expression.trim() === "") return new data.Null();
    const extra = definitions(functions);
    const tree = parse(expression, [...Object.keys(contexts), ...githubAliases], extra);
    const all = new Map([...boundedFunctions(budget), ...extra].map((item) => [item.name.toLowerCase(), item]));
    return new Evaluator(tree, new ContextData(contexts), all).evaluate();
  } catch (error) {
    if (error instanceof ExpressionFailure) throw error;
    throw new ExpressionFailure(`Cannot evaluate "${excerpt(expression)}": ${errorMessage(error)}`, error);
  }
}

function parse(expression: string, given: readonly string[], functions: FunctionDefinition[]): Expr {
  const names = [...new Set([...contextNames, ...given])];
  return new Parser(new Lexer(expression).lex().tokens, names, functions).parse();
}

function spend(budget: Budget, length: number, text: string): void {
  try {
    budget.spend(length, "the template");
  } catch (error) {
    throw new ExpressionFailure(`Cannot evaluate "${excerpt(text)}": ${errorMessage(error)}`, error);
  }
}

function excerpt(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Contexts as the evaluator asks for them: by name, and never undefined, which it could not bear. */
class ContextData extends data.Dictionary {
  readonly #contexts: Contexts;

  constructor(contexts: Contexts) {
    super();
    this.#contexts = contexts;
  }

  override get(name: string): data.ExpressionData {
    const key = name.toLowerCase();
    const wanted = githubAliases.includes(key) ? "github" : key;
    const found = Object.entries(this.#contexts).find(([given]) => given.toLowerCase() === wanted)?.[1];
    return toData(found ?? {});
  }
}

function definitions(functions: ExpressionFunctions): FunctionDefinition[] {
  const list: FunctionDefinition[] = [];
  const { success, failure, always, cancelled, hashFiles } = functions;
  if (success !== undefined) list.push(status("success", 255, success));
  if (failure !== undefined) list.push(status("failure", 255, failure));
  if (always !== undefined) list.push(status("always", 0, always));
  if (cancelled !== undefined) list.push(status("cancelled", 0, cancelled));
  if (hashFiles !== undefined) {
    const call = (...args: data.ExpressionData[]): data.ExpressionData =>
      new data.StringData(hashFiles(...args.map((arg) => arg.coerceString())));
    list.push({ name: "hashFiles", minArgs: 1, maxArgs: 255, call });
  }
  return list;
}

function status(name: string, maxArgs: number, holds: (...args: string[]) => boolean): FunctionDefinition {
  const call = (...args: data.ExpressionData[]): data.ExpressionData =>
    new data.BooleanData(holds(...args.map((arg) => arg.coerceString())));
  return { name, minArgs: 0, maxArgs, call };
}
