/** `if:` of jobs and steps: text or template, checked against what the place allows. */
import { ExpressionToken } from "@actions/workflow-parser/templates/tokens/index";
import { errorMessage } from "#lib";
import { completeCondition } from "../expressions/condition.ts";
import type { NodeReader } from "./node-reader.ts";
import { withRemedy } from "./remedy.ts";
import { allowedInCondition, type Dialect } from "./schema-check.ts";
import type { YamlNode } from "./yaml-tree.ts";

export function readCondition(
  reader: NodeReader,
  node: YamlNode | undefined,
  kind: "job-if" | "step-if",
  dialect: Dialect,
): string {
  const text = reader.text(node)?.trim() ?? "";
  if (node === undefined || text === "") return "success()";
  try {
    const condition = completeCondition(text);
    ExpressionToken.validateExpression(condition, [...allowedInCondition(kind, dialect)]);
    if (text.includes("${{") && !/^\$\{\{[^]*\}\}$/.test(text)) {
      reader.warn(node, `Condition is always true: text outside \${{ }} makes it a string. Put all of it inside`, "if");
    }
    return condition;
  } catch (error) {
    reader.error(node, withRemedy(errorMessage(error)), "if");
    return "success()";
  }
}
