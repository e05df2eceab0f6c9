/** What calls of workflows and uses of actions give, held against what those take. */
import type { Location } from "#lib";
import { checkCall, type Position, type YamlNode } from "#workflows";
import type { LintDocument, LintStep } from "../document.ts";
import type { Found, Rule } from "../finding.ts";
import { knownActions } from "../known/action-inputs.ts";
import { nodeAt, pairsOf, textAt } from "../tree.ts";
import { parseUses } from "../uses.ts";

/** Path in the repository of what `./path` or `$/path` names. */
export function localPath(uses: string): string | undefined {
  return /^(?:\.|\$)\/(.*)$/.exec(uses.trim())?.[1];
}

export const workflowCall: Rule = {
  name: "workflow-call",
  summary: "A called workflow is not there, or is not given what it takes",
  severity: "error",
  kinds: ["workflow"],
  *check(document) {
    for (const job of document.project.workflow(document.file)?.jobs ?? []) {
      const path = job.call === undefined ? undefined : localPath(job.call.uses);
      if (job.call === undefined || path === undefined) continue;
      const called = document.project.workflow(path);
      const at = positionOf(job.call.at);
      if (called === undefined) {
        if (document.project.isWhole && document.project.document(path) === undefined)
          yield { at, message: `"${job.call.uses}" is not in this repository. Correct the path` };
        continue;
      }
      if (called.on.workflowCall === undefined) {
        yield { at, message: `"${job.call.uses}" cannot be called. Add "workflow_call" to its "on"` };
        continue;
      }
      for (const problem of checkCall(job.call, called.on.workflowCall)) {
        yield {
          at: problem.at === undefined ? at : positionOf(problem.at),
          message: problem.message,
          severity: problem.severity ?? "error",
        };
      }
    }
  },
};

function positionOf({ line = 1, column = 1 }: Location): Position {
  return { line, column };
}

interface Takes {
  readonly inputs: ReadonlySet<string>;
  readonly required: ReadonlySet<string>;
  readonly deprecated: ReadonlyMap<string, string>;
}

/** Part of the rule `action`. */
export function* inputFindings(document: LintDocument): Iterable<Found> {
  for (const step of document.steps) {
    const uses = nodeAt(step.node, "uses");
    const inputs = nodeAt(step.node, "with");
    if (uses === undefined || inputs?.kind === "scalar") continue;
    const takes = whatIsTaken(document, step);
    if (takes === undefined) {
      yield* missingAction(document, step, uses.start);
      continue;
    }
    const given = new Set(pairsOf(inputs).map((pair) => pair.key.value.toLowerCase()));
    for (const { key } of pairsOf(inputs)) yield* strangeInput(key, takes, step.uses ?? "");
    for (const name of takes.required) {
      if (!given.has(name))
        yield { at: uses.start, message: `"${step.uses ?? ""}" needs input "${name}". Give it under "with"` };
    }
  }
}

function* strangeInput(key: YamlNode & { readonly value: string }, takes: Takes, uses: string): Iterable<Found> {
  const name = key.value.toLowerCase();
  const instead = takes.deprecated.get(name);
  if (instead !== undefined)
    yield { at: key.start, severity: "note", message: `Input "${key.value}" is deprecated: ${instead}` };
  if (takes.inputs.has(name)) return;
  const nearest = [...takes.inputs].find((known) => known.replaceAll(/[-_]/g, "") === name.replaceAll(/[-_]/g, ""));
  const hint = nearest === undefined ? `It has ${[...takes.inputs].join(", ") || "none"}` : `Write "${nearest}"`;
  yield { at: key.start, severity: "warning", message: `"${uses}" has no input "${key.value}". ${hint}` };
}

function whatIsTaken(document: LintDocument, step: LintStep): Takes | undefined {
  const path = localPath(step.uses ?? "");
  if (path !== undefined) {
    const action = actionAt(document, path);
    return action === undefined ? undefined : takenBy(action);
  }
  const uses = parseUses(step.uses ?? "");
  if (uses?.kind !== "repository") return undefined;
  const known = knownActions[uses.path === "" ? uses.slug : `${uses.slug}/${uses.path.toLowerCase()}`];
  if (known === undefined) return undefined;
  const set = (names = ""): ReadonlySet<string> => new Set(names === "" ? [] : names.toLowerCase().split(" "));
  return { inputs: set(known.inputs), required: set(known.required), deprecated: new Map() };
}

function actionAt(document: LintDocument, path: string): LintDocument | undefined {
  const folder = path === "" ? "" : `${path.replace(/\/+$/, "")}/`;
  return ["action.yml", "action.yaml"]
    .map((name) => document.project.document(`${folder}${name}`))
    .find((found) => found?.kind === "action");
}

function takenBy(action: LintDocument): Takes {
  const inputs = pairsOf(nodeAt(action.root, "inputs"));
  const isDocker = textAt(action.root, "runs", "using") === "docker";
  const required = inputs.filter(
    ({ value }) => textAt(value, "required") === "true" && nodeAt(value, "default") === undefined,
  );
  return {
    inputs: new Set([
      ...inputs.map((pair) => pair.key.value.toLowerCase()),
      ...(isDocker ? ["args", "entrypoint"] : []),
    ]),
    required: new Set(required.map((pair) => pair.key.value.toLowerCase())),
    deprecated: new Map(
      inputs.flatMap(({ key, value }) => {
        const said = textAt(value, "deprecationMessage");
        return said === undefined ? [] : [[key.value.toLowerCase(), said.trim().replaceAll(/\s+/g, " ")] as const];
      }),
    ),
  };
}

/** A path may be what an earlier step has put into the workspace, a checkout into a folder for one. */
function* missingAction(document: LintDocument, step: LintStep, at: Position): Iterable<Found> {
  const path = localPath(step.uses ?? "");
  if (path === undefined || !document.project.isWhole || document.kind !== "workflow") return;
  if (actionAt(document, path) !== undefined || path.split("/").some(isPassedOver)) return;
  const others = (step.job?.steps ?? []).some(
    (other) => other !== step && nodeAt(other.node, "with", "path") !== undefined,
  );
  if (!others)
    yield {
      at,
      severity: "warning",
      message: `"${step.uses ?? ""}" has no action.yml in this repository. Correct the path`,
    };
}

/** Folders that nobody keeps sources in are not looked through. */
function isPassedOver(folder: string): boolean {
  return /^(?:node_modules|vendor|dist|\.(?!github$|forgejo$|gitea$).*)$/.test(folder);
}
