/** What a measured value means to a metric: its success and failure conditions. */
import { type AnalysisPhase, evaluateExpression, type ExpressionFunction, type Metric, parseExpression } from "#api";
import type { MeasureResult } from "../ports.ts";

export interface Judgement {
  readonly phase: AnalysisPhase;
  /** Why it is an Error. */
  readonly message?: string;
}

/**
 * No condition: Successful. One: it decides. Both: failure wins, neither is Inconclusive. What cannot be evaluated, or
 * does not come to a boolean, is an Error.
 */
export function judge(result: MeasureResult, metric: Metric): Judgement {
  const value = result.kind === "scalar" ? result.value : result.values;
  const success = condition(value, "successCondition", metric.successCondition);
  if (success?.kind === "error") return { phase: "Error", message: success.message };
  const failure = condition(value, "failureCondition", metric.failureCondition);
  if (failure?.kind === "error") return { phase: "Error", message: failure.message };
  if (success === undefined && failure === undefined) return { phase: "Successful" };
  if (failure?.truth ?? success?.truth === false) {
    // With both, a failure condition that does not hold leaves the word to the success condition.
    return { phase: "Failed" };
  }
  return { phase: (success?.truth ?? true) ? "Successful" : "Inconclusive" };
}

type Truth =
  | { readonly kind: "truth"; readonly truth: boolean }
  | { readonly kind: "error"; readonly message: string; readonly truth?: never };

function condition(value: unknown, field: string, text: string | undefined): Truth | undefined {
  if (text === undefined || text === "") return undefined;
  const parsed = parseExpression(text);
  if (parsed.value === undefined) {
    const [problem] = parsed.problems;
    return failed(field, text, value, `column ${problem?.at?.column ?? 1}: ${problem?.message ?? "not an expression"}`);
  }
  const result = evaluateExpression(parsed.value, { variables: { result: value }, functions: functionsFor(value) });
  if (result.kind === "error") return failed(field, text, value, `column ${result.column}: ${result.message}`);
  if (typeof result.value !== "boolean")
    return failed(field, text, value, `expected bool, but got ${typeof result.value}`);
  return { kind: "truth", truth: result.value };
}

function failed(field: string, text: string, value: unknown, why: string): Truth {
  const empty = Array.isArray(value) && value.length === 0;
  const reason = empty ? "metric result is nil or empty: no data returned from the metric provider" : why;
  return { kind: "error", message: `could not evaluate ${field} "${text}": ${reason}` };
}

/** Upstream's own functions beside the language's. */
function functionsFor(result: unknown): Record<string, ExpressionFunction> {
  return {
    asInt: (value) => Math.trunc(toNumber(value, "asInt", /^[+-]?\d+$/)),
    asFloat: (value) => toNumber(value, "asFloat", /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?Inf$|^NaN$/i),
    isNaN: (value) => Number.isNaN(toNumber(value, "isNaN", undefined)),
    isInf: (value) => Math.abs(toNumber(value, "isInf", undefined)) === Number.POSITIVE_INFINITY,
    // These two look at the result, whatever they are given: upstream's way.
    isNil: () => result === null || result === undefined,
    default: (_value, otherwise) => result ?? otherwise,
  };
}

function toNumber(value: unknown, name: string, texts: RegExp | undefined): number {
  if (typeof value === "number") return value;
  if (typeof value === "string" && texts?.test(value) === true) {
    return Number(value.replace(/inf$/i, "Infinity").replace(/^nan$/i, "NaN"));
  }
  throw new Error(`${name}() not supported on ${JSON.stringify(value)}`);
}

/** The value as upstream prints it: `0.5`, `[0.5,NaN]`. */
export function printResult(result: MeasureResult): string {
  return result.kind === "scalar" ? printNumber(result.value) : `[${result.values.map(printNumber).join(",")}]`;
}

/** Go's 'f' format with the fewest digits that read back the same: never an exponent. */
export function printNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  const [mantissa = "0", exponent] = String(value).split("e");
  if (exponent === undefined) return mantissa;
  const sign = mantissa.startsWith("-") ? "-" : "";
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const point = whole.length + Number(exponent);
  const digits = whole + fraction;
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  return `${sign}${digits.padEnd(point, "0")}`;
}
