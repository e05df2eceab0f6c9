/** Conditions and choices that do not mean what they seem to. */
import { FunctionCall, Logical } from "@actions/expressions/ast";
import { calls, conditionOf, expressionsIn, literalOf, pathOf, readsOf, walk } from "../expressions.ts";
import type { LintDocument } from "../document.ts";
import type { Rule } from "../finding.ts";
import { nodeAt, scalarsOf } from "../tree.ts";
import type { YamlNode } from "#workflows";

function conditionNodes(document: LintDocument): readonly YamlNode[] {
  return [...document.jobs.map((job) => job.node), ...document.steps.map((step) => step.node)]
    .map((owner) => nodeAt(owner, "if"))
    .filter((node) => node !== undefined);
}

export const unsoundCondition: Rule = {
  name: "unsound-condition",
  summary: "A condition that always holds",
  severity: "error",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const node of conditionNodes(document)) {
      const text = node.kind === "scalar" ? String(node.value) : "";
      if (!text.includes("${{") || /^\$\{\{(?:(?!\$\{\{)[^])*\}\}$/.test(text)) continue;
      yield {
        at: node.start,
        message:
          "Text outside ${{ }}, if only the end of a line, makes the condition a string, which always holds. Leave the fences out",
      };
    }
  },
};

export const constantCondition: Rule = {
  name: "if-cond",
  summary: "A condition whose result is known beforehand",
  severity: "note",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const node of conditionNodes(document)) {
      const condition = conditionOf(document, node);
      if (condition?.tree === undefined) continue;
      const status = ["success", "failure", "always", "cancelled"].some(
        (name) => condition.tree !== undefined && calls(condition.tree, name).length > 0,
      );
      if (status || readsOf(condition.tree).length > 0 || calls(condition.tree, "hashFiles").length > 0) continue;
      yield {
        at: condition.at,
        message: `"${condition.source}" is always the same. Remove the condition, or what it guards`,
      };
    }
  },
};

/** Contexts that whoever makes the branch or the request can choose. */
const choosable = /^github\.(?:ref|ref_name|head_ref|base_ref|actor|triggering_actor|event\..+)$|^(?:env|inputs)\./;

export const unsoundContains: Rule = {
  name: "unsound-contains",
  summary: "A list check that a part of a word passes",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const node of conditionNodes(document)) {
      const condition = conditionOf(document, node);
      if (condition?.tree === undefined) continue;
      for (const call of calls(condition.tree, "contains")) {
        const [list, value] = call.args;
        const path = value === undefined ? undefined : pathOf(value);
        if (list === undefined || literalOf(list) === undefined || path === undefined) continue;
        yield {
          at: condition.at,
          ...(choosable.test(path) ? {} : { severity: "note" }),
          message: `contains() looks for "${path}" anywhere in the text, parts of words included. Compare with fromJSON('["…"]')`,
        };
      }
    }
  },
};

export const unsoundTernary: Rule = {
  name: "unsound-ternary",
  summary: "`a && b || c` where b is empty gives c always",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document) {
    for (const node of scalarsOf(document.root)) {
      for (const { at, source, tree } of expressionsIn(document, node)) {
        if (tree === undefined) continue;
        for (const part of walk(tree)) {
          if (!(part instanceof Logical) || part.operator.lexeme !== "||") continue;
          const [first] = part.args;
          if (!(first instanceof Logical) || first.operator.lexeme !== "&&") continue;
          const chosen = first.args.at(-1);
          const value = chosen === undefined || chosen instanceof FunctionCall ? undefined : literalOf(chosen);
          if (value === undefined || !["", "0", "false"].includes(value)) continue;
          yield {
            at,
            message: `"${source}" never gives its middle value, which counts as false. Write case(condition, value, other)`,
          };
        }
      }
    }
  },
};
