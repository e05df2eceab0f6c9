/** `steps:` of jobs and of composite actions. */
import type { StepControl, StepDefinition } from "../protocol.ts";
import { ContextNames, idProblem, stepSubject } from "./identifiers.ts";
import type { NodeReader } from "./node-reader.ts";
import { readCondition } from "./read-conditions.ts";
import type { Dialect } from "./schema-check.ts";
import type { YamlNode, YamlPair } from "./yaml-tree.ts";

/** A step before those without an id have got their names. */
type Draft = Omit<StepDefinition, "contextName">;

/**
 * Parallel blocks are taken apart: their steps run in the background, and a step that waits for all of them follows.
 * `context names` are given in the order of the file.
 */
export function readSteps(reader: NodeReader, node: YamlNode | undefined, dialect: Dialect): readonly StepDefinition[] {
  if (node?.kind !== "sequence") return [];
  const reading = new StepsReading(reader, node.items, dialect);
  return node.items.flatMap((item) => reading.read(item));
}

class StepsReading {
  readonly #reader: NodeReader;
  readonly #dialect: Dialect;
  readonly #names: ContextNames;
  /** Ids of the steps read so far. */
  readonly #ids = new Set<string>();
  #groups = 0;

  constructor(reader: NodeReader, items: readonly YamlNode[], dialect: Dialect) {
    this.#reader = reader;
    this.#dialect = dialect;
    this.#names = new ContextNames(allIds(reader, items));
  }

  read(node: YamlNode): readonly StepDefinition[] {
    const reader = this.#reader;
    this.#checkId(node);
    const parallel = reader.pair(node, "parallel");
    if (parallel !== undefined) return this.#readParallel(parallel);
    const control = this.#readControl(node);
    return [control ?? this.#named(readStep(reader, node, this.#dialect))];
  }

  #named(step: Draft): StepDefinition {
    return { ...step, contextName: step.id ?? this.#names.make(stepSubject(step.uses)) };
  }

  #checkId(node: YamlNode): void {
    const id = this.#reader.name(this.#reader.get(node, "id"));
    if (id === undefined) return;
    const at = this.#reader.get(node, "id") ?? node;
    const wrong = idProblem("Step id", id);
    if (wrong !== undefined) this.#reader.error(at, wrong, "id");
    // Ids are names in expressions, which do not distinguish case.
    else if (this.#ids.has(id.toLowerCase())) {
      this.#reader.error(at, `Step id "${id}" is used twice in this job. Give each its own`, "id");
    }
    this.#ids.add(id.toLowerCase());
  }

  #readParallel(pair: YamlPair): readonly StepDefinition[] {
    const reader = this.#reader;
    const items = pair.value.kind === "sequence" ? pair.value.items : [];
    this.#groups += 1;
    const group = this.#names.make(this.#groups === 1 ? "parallel" : `parallel_${this.#groups}`);
    for (const item of items) {
      for (const key of ["background", "wait", "wait-all", "cancel", "parallel"]) {
        const found = reader.pair(item, key);
        if (found === undefined) continue;
        const remedy = "All its steps run in the background and are waited for: remove it, or move it out";
        reader.error(found.key, `"${key}" does not go inside "parallel". ${remedy}`, "parallel");
      }
    }
    const steps = items.map((item): StepDefinition => {
      this.#checkId(item);
      return { ...this.#named(readStep(reader, item, this.#dialect)), background: true, parallelGroup: group };
    });
    const control: StepControl = { kind: "wait", steps: steps.map((step) => step.contextName ?? "") };
    const at = reader.at(pair.key.start);
    const wait = { name: "Wait for parallel steps", if: "always()", control, parallelGroup: group, at };
    return [...steps, { ...wait, contextName: this.#names.make("wait") }];
  }

  /** `wait`, `wait-all` and `cancel`; they run whatever became of the steps before. */
  #readControl(node: YamlNode): StepDefinition | undefined {
    const reader = this.#reader;
    const found = (["wait", "wait-all", "cancel"] as const).find((key) => reader.pair(node, key) !== undefined);
    const pair = found === undefined ? undefined : reader.pair(node, found);
    if (found === undefined || pair === undefined) return undefined;
    const titles = { wait: "Wait", "wait-all": "Wait for all", cancel: "Cancel" } as const;
    if (found === "wait-all" && reader.booleanOrTemplate(pair.value) === false) {
      reader.error(pair.value, `"wait-all" is false. Write "wait-all:" alone, or remove the step`, "wait-all");
    }
    const steps = found === "wait-all" ? [] : this.#targets(node, pair.value);
    const control: StepControl = found === "wait-all" ? { kind: "wait-all" } : { kind: found, steps };
    const id = reader.name(reader.get(node, "id"));
    const continueOnError = reader.booleanOrTemplate(reader.get(node, "continue-on-error"));
    return {
      ...defined({ id, continueOnError }),
      name: reader.name(reader.get(node, "name")) ?? titles[found],
      if: "always()",
      control,
      contextName: id ?? this.#names.make(found),
      at: reader.at(node.start),
    };
  }

  #targets(step: YamlNode, node: YamlNode): readonly string[] {
    const reader = this.#reader;
    const own = reader.name(reader.get(step, "id"))?.toLowerCase();
    const nodes = node.kind === "sequence" ? node.items : [node];
    return nodes.flatMap((item) => {
      const id = reader.name(item);
      if (id === undefined) return [];
      if (id.toLowerCase() === own) {
        reader.error(item, `Step "${id}" refers to itself. Name a step before it`, "id");
      } else if (!this.#ids.has(id.toLowerCase())) {
        reader.error(item, `There is no step "${id}" before this one. Name the id of a background step`, "id");
      }
      return [id];
    });
  }
}

function allIds(reader: NodeReader, items: readonly YamlNode[]): readonly string[] {
  return items.flatMap((item) => {
    const parallel = reader.get(item, "parallel");
    const inner = parallel?.kind === "sequence" ? allIds(reader, parallel.items) : [];
    const id = reader.name(reader.get(item, "id"));
    return id === undefined ? inner : [id, ...inner];
  });
}

/** Longer scripts GitHub refuses; a script of this length belongs into a file. */
const maxScriptLength = 21_000;

function readStep(reader: NodeReader, node: YamlNode, dialect: Dialect): Draft {
  const uses = reader.pair(node, "uses");
  const run = reader.pair(node, "run");
  if (uses !== undefined) checkUses(reader, uses.value);
  if (run !== undefined) checkScript(reader, run.value);
  const values = {
    id: reader.name(reader.get(node, "id")),
    name: reader.name(reader.get(node, "name")),
    uses: reader.name(uses?.value),
    run: reader.text(run?.value),
    with: uses === undefined ? undefined : reader.record(reader.get(node, "with")),
    env: reader.record(reader.get(node, "env")),
    shell: reader.name(reader.get(node, "shell")),
    workingDirectory: reader.name(reader.get(node, "working-directory")),
    continueOnError: reader.booleanOrTemplate(reader.get(node, "continue-on-error")),
    timeoutMinutes: reader.numberOrTemplate(reader.get(node, "timeout-minutes")),
    background: reader.booleanOrTemplate(reader.get(node, "background")) === true ? true : undefined,
  };
  const condition = readCondition(reader, reader.get(node, "if"), "step-if", dialect);
  return { ...defined(values), if: condition, at: reader.at(node.start) };
}

/** A script with expressions is one expression to GitHub, and the length of those is limited. */
function checkScript(reader: NodeReader, node: YamlNode): void {
  const script = reader.text(node) ?? "";
  if (!script.includes("${{") || script.length <= maxScriptLength) return;
  const found = `Script with expressions has ${script.length} characters of ${maxScriptLength} allowed`;
  reader.error(node, `${found}. Pass values by "env", or move the script into a file`, "run");
}

/** `./path`, `docker://image`, `owner/repo[/path]@ref`, or with a whole URL before the `@`. */
function checkUses(reader: NodeReader, node: YamlNode): void {
  const uses = reader.name(node);
  if (uses === undefined) return;
  if (uses.startsWith("./") || uses.startsWith("$/") || uses.startsWith("docker://")) return;
  if (/^(https?:\/\/[^/@\s]+\/)?[^/@:$]+\/[^@:]+@\S+$/.test(uses)) return;
  const remedy = 'Write "owner/repository@ref", "./path/in/this/repository" or "docker://image"';
  reader.error(node, `Action "${uses}" is not a reference to an action. ${remedy}`, "uses");
}

/** Without the keys whose value is undefined. */
export function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
