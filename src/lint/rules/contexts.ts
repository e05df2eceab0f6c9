/** Values that are read and that nothing sets: such an expression is empty when it runs, without a word. */
import type { YamlNode } from "#workflows";
import type { LintDocument, LintJob, LintStep } from "../document.ts";
import { conditionOf, expressionsIn, type PlacedExpression, readsOf } from "../expressions.ts";
import type { Found, Rule } from "../finding.ts";
import { knownActions } from "../known/action-inputs.ts";
import { itemsOf, nodeAt, pairsOf, scalarsOf, textAt, textOf, textsOf } from "../tree.ts";
import { typeFindings } from "../types/check-types.ts";
import { parseUses } from "../uses.ts";
import { localPath } from "./calls.ts";

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
  summary: "An expression reads what nothing sets, or gives another kind of value than is meant",
  severity: "warning",
  kinds: ["workflow", "action"],
  *check(document, { variables }) {
    for (const job of document.jobs) yield* checkJob(document, job);
    yield* typeFindings(document);
    yield* checkOutputs(document);
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
      if (context === "steps" && steps.has(name)) yield* checkStepOutput(at, job, path);
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
  const declared = needed === undefined ? undefined : outputsOf(document, needed);
  if (needed === undefined || declared === undefined || output === "*") return;
  if (!declared.has(output)) yield { at, message: `Job "${needed.key}" has no output "${output}"` };
}

/** Undefined when another file declares them that is not here. */
function outputsOf(document: LintDocument, job: LintJob): ReadonlySet<string> | undefined {
  const uses = textAt(job.node, "uses");
  if (uses === undefined) return namesOf(nodeAt(job.node, "outputs"));
  const path = localPath(uses);
  const called = path === undefined ? undefined : document.project.document(path);
  return called === undefined ? undefined : namesOf(nodeAt(called.root, "on", "workflow_call", "outputs"));
}

function namesOf(node: YamlNode | undefined): ReadonlySet<string> {
  return new Set(pairsOf(node).map((pair) => pair.key.value.toLowerCase()));
}

/** Those of actions whose outputs are known. */
function* checkStepOutput(at: Found["at"], job: LintJob, path: readonly string[]): Iterable<Found> {
  const [, id = "", kind, output = "*"] = path;
  if (kind !== "outputs" || output === "*") return;
  const step = job.steps.find((found) => stepId(found) === id);
  const uses = parseUses(step?.uses ?? "");
  if (uses?.kind !== "repository") return;
  const known = knownActions[uses.path === "" ? uses.slug : `${uses.slug}/${uses.path.toLowerCase()}`]?.outputs;
  if (known === undefined || known.split(" ").includes(output)) return;
  yield { at, message: `"${step?.uses ?? ""}" has no output "${output}". It has ${known.replaceAll(" ", ", ")}` };
}

/** What a called workflow hands back is of its jobs. */
function* checkOutputs(document: LintDocument): Iterable<Found> {
  for (const pair of pairsOf(nodeAt(document.root, "on", "workflow_call", "outputs"))) {
    for (const { at, path } of reads(expressionsIn(document, nodeAt(pair.value, "value")))) {
      const [context, key = "*", kind, output = "*"] = path;
      if (context !== "jobs" || key === "*") continue;
      const job = document.jobs.find((found) => found.key.toLowerCase() === key);
      if (job === undefined) yield { at, message: `There is no job "${key}"` };
      else if (kind === "outputs" && output !== "*" && outputsOf(document, job)?.has(output) === false)
        yield { at, message: `Job "${job.key}" has no output "${output}"` };
    }
  }
}

function* checkInputs(document: LintDocument, at: Found["at"], path: readonly string[]): Iterable<Found> {
  const ofEvent = path[0] === "github" && path[1] === "event" && path[2] === "inputs";
  const [context, name = "*"] = ofEvent ? path.slice(2) : path;
  if (context === "secrets") yield* checkSecret(document, at, name);
  if (context !== "inputs" || name === "*" || (ofEvent && !document.events.includes("workflow_dispatch"))) return;
  const owners =
    document.kind === "action"
      ? [nodeAt(document.root, "inputs")]
      : ["workflow_dispatch", "workflow_call"].map((event) => nodeAt(document.root, "on", event, "inputs"));
  const declared = owners.flatMap(pairsOf).map((pair) => pair.key.value.toLowerCase());
  if (!declared.includes(name)) yield { at, message: `No input "${name}" is declared` };
}

/** Where only calls start a workflow that names its secrets, there are no others. */
function* checkSecret(document: LintDocument, at: Found["at"], name: string): Iterable<Found> {
  const declared = nodeAt(document.root, "on", "workflow_call", "secrets");
  if (declared === undefined || document.events.length !== 1 || name === "*") return;
  if (namesOf(declared).has(name) || /^(?:github_token|actions_(?:step|runner)_debug)$/.test(name)) return;
  yield { at, message: `No secret "${name.toUpperCase()}" is declared under "workflow_call"` };
}
