/** `steps:` of jobs and of composite actions. */
import type { StepDefinition } from "../protocol.ts";
import type { NodeReader } from "./node-reader.ts";
import { readCondition } from "./read-conditions.ts";
import type { Dialect } from "./schema-check.ts";
import type { YamlNode } from "./yaml-tree.ts";

const concurrentKeys = ["background", "wait", "wait-all", "cancel", "parallel"] as const;

export function readSteps(reader: NodeReader, node: YamlNode | undefined, dialect: Dialect): readonly StepDefinition[] {
  if (node?.kind !== "sequence") return [];
  const ids = new Set<string>();
  return node.items.map((item) => {
    const step = readStep(reader, item, dialect);
    if (step.id !== undefined) {
      const at = reader.get(item, "id") ?? item;
      // Ids are names in expressions, which do not distinguish case.
      const key = step.id.toLowerCase();
      if (ids.has(key)) reader.error(at, `Step id "${step.id}" is used twice in this job. Give each its own`, "id");
      if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(step.id)) {
        reader.error(
          at,
          `Step id "${step.id}" is no name. Start with a letter or _, then letters, digits, - and _`,
          "id",
        );
      }
      ids.add(key);
    }
    return step;
  });
}

function readStep(reader: NodeReader, node: YamlNode, dialect: Dialect): StepDefinition {
  for (const key of concurrentKeys) {
    const pair = reader.pair(node, key);
    if (pair === undefined) continue;
    reader.unsupported(pair.key, `"${key}" (concurrent steps)`, "Run the steps one after the other");
  }
  const uses = reader.pair(node, "uses");
  const run = reader.pair(node, "run");
  if (uses !== undefined) checkUses(reader, uses.value);
  const values = {
    id: reader.name(reader.get(node, "id")),
    name: reader.name(reader.get(node, "name")),
    uses: reader.name(uses?.value),
    run: reader.text(run?.value),
    with: uses === undefined ? undefined : reader.record(reader.get(node, "with"), "with"),
    env: reader.record(reader.get(node, "env"), "env"),
    shell: reader.name(reader.get(node, "shell")),
    workingDirectory: reader.name(reader.get(node, "working-directory")),
    continueOnError: reader.booleanOrTemplate(reader.get(node, "continue-on-error")),
    timeoutMinutes: reader.numberOrTemplate(reader.get(node, "timeout-minutes")),
  };
  const condition = readCondition(reader, reader.get(node, "if"), "step-if", dialect);
  return { ...defined(values), if: condition, at: reader.at(node.start) };
}

/** `./path`, `docker://image`, `owner/repo[/path]@ref`, or with a whole URL before the `@`. */
function checkUses(reader: NodeReader, node: YamlNode): void {
  const uses = reader.name(node);
  if (uses === undefined) return;
  if (uses.startsWith("./") || uses.startsWith("docker://")) return;
  if (/^(https?:\/\/[^/@\s]+\/)?[^/@\s]+\/[^@\s]+@\S+$/.test(uses)) return;
  const remedy = 'Write "owner/repository@ref", "./path/in/this/repository" or "docker://image"';
  reader.error(node, `Action "${uses}" is not a reference to an action. ${remedy}`, "uses");
}

/** Without the keys whose value is undefined. */
export function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
