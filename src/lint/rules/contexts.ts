/** Values that are read and that nothing sets: such an expression is empty when it runs, without a word. */
import type { YamlNode } from "#workflows";
import type { LintDocument, LintJob, LintStep } from "../document.ts";
import { conditionOf, expressionsIn, type PlacedExpression, readsOf } from "../expressions.ts";
import type { Found, Rule } from "../finding.ts";
import { itemsOf, nodeAt, pairsOf, scalarsOf, textAt, textOf, textsOf } from "../tree.ts";

const fixed: Readonly<Record<string, ReadonlySet<string>>> = {
  runner: new Set("os arch name temp tool_cache debug environment workspace".split(" ")),
  strategy: new Set("fail-fast job-index job-total max-parallel".split(" ")),
  job: new Set(
    "status container services check_run_id workflow_ref workflow_sha workflow_repository workflow_file_path".split(
      " ",
    ),
  ),
};

export const expressionContexts: Rule = {
  name: "expression",
  summary: "An expression reads what nothing sets, and so is empty",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document, { variables }) {
    for (const job of document.jobs) yield* checkJob(document, job);
    const known = variables === undefined ? undefined : new Set(variables.map((name) => name.toLowerCase()));
    for (const node of scalarsOf(document.root)) {
      for (const { at, path } of reads(expressionsIn(document, node))) {
        yield* checkInputs(document, at, path);
        const [context, name = "*"] = path;
        if (context === "vars" && name !== "*" && known?.has(name) === false) {
          yield { at, message: `No variable "${name.toUpperCase()}" is named under "config-variables"` };
        }
      }
    }
  },
};

interface Read {
  readonly at: Found["at"];
  /** Segments in lower case. */
  readonly path: readonly string[];
}

function reads(expressions: readonly PlacedExpression[]): readonly Read[] {
  return expressions.flatMap(({ at, tree }) =>
    tree === undefined ? [] : readsOf(tree).map((path) => ({ at, path: path.split(".") })),
  );
}

function* checkJob(document: LintDocument, job: LintJob): Iterable<Found> {
  const matrix = matrixKeys(job);
  const needs = new Set(textsOf(nodeAt(job.node, "needs")).map((name) => name.toLowerCase()));
  for (const { node, condition, steps } of scopes(job)) {
    for (const { at, path } of reads(placed(document, node, condition))) {
      const [context = "", name = "*", , output = "*"] = path;
      if (name === "*") continue;
      const set = fixed[context];
      if (set !== undefined && !set.has(name)) yield { at, message: `"${context}" has no "${name}"` };
      if (context === "needs") yield* checkNeed(document, at, job, needs, name, output);
      if (context === "matrix" && matrix?.has(name) === false) {
        yield { at, message: `The matrix of job "${job.key}" has no "${name}"` };
      }
      if (context === "steps" && !steps.has(name)) {
        yield { at, message: `No step before this one in job "${job.key}" has the id "${name}"` };
      }
    }
  }
}

function placed(document: LintDocument, node: YamlNode, condition: YamlNode | undefined): readonly PlacedExpression[] {
  const inside = [...scalarsOf(node)].flatMap((scalar) => expressionsIn(document, scalar));
  // A condition without fences is an expression all the same.
  if (condition === undefined || (textOf(condition) ?? "").includes("${{")) return inside;
  const bare = conditionOf(document, condition);
  return bare === undefined ? inside : [...inside, bare];
}

interface Scope {
  readonly node: YamlNode;
  /** An `if`, which is an expression without fences too. */
  readonly condition: YamlNode | undefined;
  /** Ids of the steps that have run by then. */
  readonly steps: ReadonlySet<string>;
}

function scopes(job: LintJob): readonly Scope[] {
  const ids = new Set<string>();
  const scoped = job.steps.map((step) => {
    const before = new Set(ids);
    const id = stepId(step);
    if (id !== undefined) ids.add(id);
    return { node: step.node, condition: nodeAt(step.node, "if"), steps: before };
  });
  const others = pairsOf(job.node)
    .filter((pair) => pair.key.value !== "steps")
    .map((pair) => ({ node: pair.value, condition: pair.key.value === "if" ? pair.value : undefined, steps: ids }));
  return [...scoped, ...others];
}

function stepId(step: LintStep): string | undefined {
  return textAt(step.node, "id")?.toLowerCase();
}

/** Undefined when an expression may bring any key. */
function matrixKeys(job: LintJob): ReadonlySet<string> | undefined {
  const matrix = nodeAt(job.node, "strategy", "matrix");
  if (matrix === undefined) return new Set();
  if (matrix.kind !== "mapping") return undefined;
  const include = nodeAt(matrix, "include");
  if (include !== undefined && include.kind !== "sequence") return undefined;
  const items = itemsOf(include);
  if (items.some((item) => item.kind !== "mapping")) return undefined;
  const own = matrix.pairs.map((pair) => pair.key.value).filter((key) => key !== "include" && key !== "exclude");
  const added = items.flatMap((item) => pairsOf(item).map((pair) => pair.key.value));
  return new Set([...own, ...added].map((key) => key.toLowerCase()));
}

function* checkNeed(
  document: LintDocument,
  at: Found["at"],
  job: LintJob,
  needs: ReadonlySet<string>,
  name: string,
  output: string,
): Iterable<Found> {
  if (!needs.has(name)) {
    yield { at, message: `Job "${job.key}" does not need "${name}". Add it under "needs"` };
    return;
  }
  const needed = document.jobs.find((other) => other.key.toLowerCase() === name);
  // A called workflow declares its outputs in its own file.
  if (needed === undefined || nodeAt(needed.node, "uses") !== undefined || output === "*") return;
  const declared = pairsOf(nodeAt(needed.node, "outputs")).map((pair) => pair.key.value.toLowerCase());
  if (!declared.includes(output)) yield { at, message: `Job "${needed.key}" has no output "${output}"` };
}

function* checkInputs(document: LintDocument, at: Found["at"], path: readonly string[]): Iterable<Found> {
  const [context, name = "*"] = path;
  if (context !== "inputs" || name === "*") return;
  const owners =
    document.kind === "action"
      ? [nodeAt(document.root, "inputs")]
      : ["workflow_dispatch", "workflow_call"].map((event) => nodeAt(document.root, "on", event, "inputs"));
  const declared = owners.flatMap(pairsOf).map((pair) => pair.key.value.toLowerCase());
  if (!declared.includes(name)) yield { at, message: `No input "${name}" is declared` };
}
