/** Expressions whose value cannot be what is meant: of the wrong kind, or an object where a text is written. Pure. */
import type { Expr } from "@actions/expressions";
import type { Position, YamlNode } from "#workflows";
import type { LintDocument, LintJob } from "../document.ts";
import { conditionOf, expressionsIn } from "../expressions.ts";
import type { Found } from "../finding.ts";
import { nodeAt, pairsOf, scalarsOf } from "../tree.ts";
import { contextType } from "./contexts.ts";
import { inferType } from "./infer.ts";
import { isStructure, nameOf, type ValueType } from "./value-type.ts";

export function* typeFindings(document: LintDocument): Iterable<Found> {
  const texts = new Set<YamlNode>(textNodes(document));
  const ofJobs = new Map<YamlNode, LintJob>();
  for (const job of document.jobs) for (const node of scalarsOf(job.node)) ofJobs.set(node, job);
  for (const node of scalarsOf(document.root)) {
    const job = ofJobs.get(node);
    for (const { at, source, tree } of expressionsIn(document, node)) {
      if (tree === undefined) continue;
      const { type, found } = checked(document, job, tree, at);
      yield* found;
      // What is wrong already is not told of twice.
      if (found.length > 0 || !texts.has(node) || !(isStructure(type) || type.kind === "null")) continue;
      const written = type.kind === "null" ? "nothing at all" : type.kind === "array" ? '"Array"' : '"Object"';
      yield {
        at,
        message: `"${source}" is ${nameOf(type)}, written as ${written} in a text. Use toJSON() or a field of it`,
      };
    }
  }
  yield* conditions(document);
}

function* conditions(document: LintDocument): Iterable<Found> {
  const owners = [
    ...document.jobs.map((job) => ({ node: job.node, job })),
    ...document.steps.map((step) => ({ node: step.node, job: step.job })),
  ];
  for (const { node, job } of owners) {
    const condition = nodeAt(node, "if");
    if (condition?.kind !== "scalar" || String(condition.value).includes("${{")) continue;
    const { tree, at } = conditionOf(document, condition) ?? {};
    if (tree !== undefined && at !== undefined) yield* checked(document, job, tree, at).found;
  }
}

function checked(
  document: LintDocument,
  job: LintJob | undefined,
  tree: Expr,
  at: Position,
): { readonly type: ValueType; readonly found: readonly Found[] } {
  const messages = new Set<string>();
  const type = inferType(tree, {
    context: (name) => contextType(document, job, name),
    report: (message) => void messages.add(message),
  });
  return { type, found: [...messages].map((message) => ({ at, message })) };
}

/** Scalars that become texts, whatever their expressions give. */
function* textNodes(document: LintDocument): Iterable<YamlNode> {
  for (const owner of [
    document.root,
    ...document.jobs.map((job) => job.node),
    ...document.steps.map((step) => step.node),
  ]) {
    for (const { value } of pairsOf(nodeAt(owner, "env"))) yield value;
    const name = nodeAt(owner, "name") ?? nodeAt(owner, "run-name");
    if (name !== undefined) yield name;
  }
  for (const step of document.steps) {
    const run = nodeAt(step.node, "run");
    if (run !== undefined) yield run;
    for (const { value } of pairsOf(nodeAt(step.node, "with"))) yield value;
  }
}
