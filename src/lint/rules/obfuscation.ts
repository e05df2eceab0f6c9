/** What is written so that a reader, or another rule, does not see what it does. */
import type { Expr } from "@actions/expressions";
import { Binary, FunctionCall, Grouping, IndexAccess, Literal, Logical, Unary } from "@actions/expressions/ast";
import { calls, expressionsIn, literalOf, readsOf, walk } from "../expressions.ts";
import type { LintDocument } from "../document.ts";
import type { Found, Rule } from "../finding.ts";
import { nodeAt, scalarsOf } from "../tree.ts";

export const obfuscation: Rule = {
  name: "obfuscation",
  summary: "Written so that a reader, or another rule, does not see what it does",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const step of document.steps) {
      const uses = step.uses ?? "";
      const at = nodeAt(step.node, "uses")?.start ?? step.node.start;
      if (/^[^./$][^@]*\/(?:\/|\.\.?(?:\/|@|$)|@|$)/.test(uses) && !uses.includes("://"))
        yield { at, about: step.node, message: `Write the path of "${uses}" plainly` };
      const inputs = nodeAt(step.node, "with");
      if (inputs?.kind === "scalar" && String(inputs.value).includes("${{")) {
        const message = `What "${uses}" is given cannot be seen here. Name the inputs`;
        yield { at: inputs.start, about: step.node, severity: "note", message };
      }
    }
    yield* constants(document);
  },
};

function* constants(document: LintDocument): Iterable<Found> {
  for (const node of scalarsOf(document.root)) {
    for (const { at, source, tree } of expressionsIn(document, node)) {
      if (tree === undefined) continue;
      const part = [...walk(tree)].find(
        (found) => (found === tree || !(found instanceof Literal)) && isConstant(found),
      );
      const around = calls(tree, "fromJSON").some(
        (call) => call.args[0] !== undefined && calls(call.args[0], "toJSON").includes(call.args[0] as never),
      );
      if (part === tree || around)
        yield { at, severity: "note", message: `"${source}" is always the same. Write its value` };
      else if (part !== undefined)
        yield { at, message: `"${source}" has a part that is always the same. Write its value` };
      else if ([...walk(tree)].some(isComputed)) {
        yield { at, pedantic: true, message: `Which value "${source}" takes is worked out as it runs. Name it` };
      }
    }
  }
}

/** \`fromJSON('["a"]')\` is how a list is written, and braces in a text can be written in no other way. */
const worked: ReadonlySet<string> = new Set(["contains", "startswith", "endswith", "format", "join", "tojson"]);

function isConstant(expr: Expr): boolean {
  if (expr instanceof Literal) return !/[{}]/.test(literalOf(expr) ?? "");
  if (expr instanceof FunctionCall)
    return worked.has(expr.functionName.lexeme.toLowerCase()) && expr.args.every(isValue);
  if (expr instanceof Unary) return isValue(expr.expr);
  if (expr instanceof Grouping) return isConstant(expr.group);
  if (expr instanceof Binary) return isValue(expr.left) && isValue(expr.right);
  return expr instanceof Logical && expr.args.every(isValue);
}

function isValue(expr: Expr): boolean {
  return expr instanceof Literal || isConstant(expr);
}

function isComputed(expr: Expr): boolean {
  return expr instanceof IndexAccess && !(expr.index instanceof Literal) && readsOf(expr.index).length > 0;
}
