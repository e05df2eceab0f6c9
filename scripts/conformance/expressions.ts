/** `expressions/testdata/*.json` of actions/languageservices: an expression, contexts, and a result or an error. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ExpressionToken } from "@actions/workflow-parser/templates/tokens/index";
import { evaluateExpression, type Contexts } from "../../src/workflows/index.ts";
import { judged, type Case } from "./tally.ts";

interface ExpressionCase {
  readonly expr: string;
  readonly result?: { readonly kind: string; readonly value: unknown };
  readonly err?: { readonly kind: "lexing" | "parsing" | "evaluation"; readonly value: string };
  readonly contexts?: Readonly<Record<string, unknown>>;
  readonly options?: { readonly skip?: readonly string[] };
}

/** The suite counts with the smaller of GitHub's two limits. */
const maxBytes = 1024 * 1024;

export function* expressionCases(folder: string): Generator<Case> {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    const cases = JSON.parse(readFileSync(join(folder, file), "utf8")) as Record<string, ExpressionCase[]>;
    for (const [name, list] of Object.entries(cases)) {
      for (const one of list) {
        const left = one.options?.skip?.includes("typescript") === true;
        const group = left ? "left out by the TypeScript package" : "run by the TypeScript package";
        yield judged(`${file} ${name} ${one.expr.slice(0, 100)}`, group, () => check(one));
      }
    }
  }
}

function check(one: ExpressionCase): string | undefined {
  const { err } = one;
  const outcome = run(one);
  if (err !== undefined) {
    if (outcome.error === undefined) return `an error was expected: ${err.value}`;
    // Memory is told in our own words, everything else in the words of the package.
    if (/memory/.test(err.value)) return /Make them smaller/.test(outcome.error) ? undefined : outcome.error;
    return firstSentence(outcome.error).includes(firstSentence(err.value)) ? undefined : outcome.error;
  }
  if (outcome.error !== undefined) return outcome.error;
  const want = { kind: one.result?.kind, value: plain(one.result?.value) };
  const got = { kind: kindOf(outcome.value), value: plain(outcome.value) };
  return JSON.stringify(got) === JSON.stringify(want)
    ? undefined
    : `${JSON.stringify(got)}, not ${JSON.stringify(want)}`;
}

function run(one: ExpressionCase): { readonly value?: unknown; readonly error?: string } {
  const contexts = (one.contexts ?? {}) as Contexts;
  try {
    // What a place may read is checked when its file is read; what is left is evaluated with what it has.
    if (one.expr.trim() !== "") ExpressionToken.validateExpression(one.expr, Object.keys(contexts));
    return { value: evaluateExpression(one.expr, contexts, {}, maxBytes) };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

function firstSentence(text: string): string {
  return text.split(". Located")[0] ?? text;
}

function kindOf(value: unknown): string {
  if (value === null) return "Null";
  if (Array.isArray(value)) return "Array";
  if (typeof value === "object") return "Object";
  return { string: "String", number: "Number", boolean: "Boolean" }[typeof value as "string" | "number" | "boolean"];
}

/** JSON knows no NaN and no infinities: the suite writes them as texts. */
function plain(value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return Object.is(value, -0) ? 0 : value;
}
