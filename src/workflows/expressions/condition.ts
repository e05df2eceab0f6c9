/** The text of an `if`, made into the one expression that is evaluated. */
import { Lexer } from "@actions/expressions";
import { TokenType } from "@actions/expressions/lexer";
import { errorMessage } from "#lib";
import { ExpressionFailure } from "../errors.ts";
import { splitTemplate } from "./template.ts";

const statusFunctions: ReadonlySet<string> = new Set(["success", "failure", "always", "cancelled"]);

/**
 * The condition without `${{ }}` and with `success() && ( )` around it unless it calls a status function; an empty one
 * is `success()`. Doing it twice changes nothing. Throws `ExpressionFailure` when the text is no expression.
 */
export function completeCondition(condition: string): string {
  const expression = bareCondition(condition.trim());
  if (expression === "") return "success()";
  return callsStatusFunction(expression) ? expression : `success() && (${expression})`;
}

/** A text with expressions as one expression: `a-${{ x }}` is `format('a-{0}', x)`. */
export function templateExpression(text: string): string {
  return bareCondition(text);
}

/** Text around `${{ }}` makes the whole a string, as it does for GitHub: `${{ false }} && x` is text, hence true. */
function bareCondition(condition: string): string {
  if (!condition.includes("${{")) return condition;
  const segments = splitTemplate(condition);
  const [only] = segments;
  if (segments.length === 1 && only?.kind === "expression") return only.expression;
  const args: string[] = [];
  const parts = segments.map((segment) => {
    if (segment.kind === "text") return segment.text.replaceAll("'", "''").replaceAll("{", "{{").replaceAll("}", "}}");
    args.push(segment.expression);
    return `{${args.length - 1}}`;
  });
  return `format('${parts.join("")}', ${args.join(", ")})`;
}

function callsStatusFunction(expression: string): boolean {
  const tokens = lex(expression);
  return tokens.some(
    (token, index) =>
      token.type === TokenType.IDENTIFIER &&
      statusFunctions.has(token.lexeme.toLowerCase()) &&
      tokens[index - 1]?.type !== TokenType.DOT &&
      tokens[index + 1]?.type === TokenType.LEFT_PAREN,
  );
}

function lex(expression: string): ReturnType<Lexer["lex"]>["tokens"] {
  try {
    return new Lexer(expression).lex().tokens;
  } catch (error) {
    throw new ExpressionFailure(`Cannot read condition "${expression}": ${errorMessage(error)}`, error);
  }
}
