/** What the contexts of a file hold, as far as the file and the documentation tell. Pure. */
import type { YamlNode } from "#workflows";
import type { LintDocument, LintJob } from "../document.ts";
import { itemsOf, nodeAt, pairsOf, textAt } from "../tree.ts";
import { anything, common, record, text, truth, type ValueType } from "./value-type.ts";

const githubTexts =
  "action action_path action_ref action_repository action_status actor actor_id api_url base_ref env event_name event_path graphql_url head_ref job output path ref ref_name ref_type repository repository_id repository_owner repository_owner_id repositoryurl retention_days run_id run_number run_attempt secret_source server_url sha state step_summary token triggering_actor workflow workflow_ref workflow_sha workspace artifact_cache_size_limit";

const fields = githubTexts.split(" ").map((name) => [name, text] as const);
const github: ValueType = {
  kind: "object",
  fields: new Map<string, ValueType>([...fields, ["event", record(anything)], ["ref_protected", truth]]),
};

/** Fields that are missing are told of elsewhere, but for those of the container. */
const jobType = record(anything, {
  status: text,
  services: record(record(anything, { ports: record(text), id: text, network: text })),
  container: { kind: "object", fields: new Map([["id", text] as const, ["network", text] as const]) },
});

export function contextType(document: LintDocument, job: LintJob | undefined, name: string): ValueType {
  switch (name) {
    case "github":
      // Forgejo has more than GitHub, and is asked for less often.
      return document.file.startsWith(".github/") || !document.file.startsWith(".") ? github : anything;
    case "env":
    case "vars":
    case "secrets":
      return record(text);
    case "inputs":
      return inputsType(document);
    case "steps":
      return record(record(anything, { outputs: record(text), outcome: text, conclusion: text }));
    case "needs":
      return record(record(anything, { outputs: record(text), result: text }));
    case "job":
      return jobType;
    case "matrix":
      return matrixType(nodeAt(job?.node, "strategy", "matrix"));
    default:
      return anything;
  }
}

/** Other inputs than the declared are told of elsewhere. */
function inputsType(document: LintDocument): ValueType {
  if (document.kind === "action") return record(text);
  const declared = new Map<string, ValueType[]>();
  for (const event of ["workflow_dispatch", "workflow_call"]) {
    for (const { key, value } of pairsOf(nodeAt(document.root, "on", event, "inputs"))) {
      const name = key.value.toLowerCase();
      declared.set(name, [...(declared.get(name) ?? []), inputType(textAt(value, "type"))]);
    }
  }
  return record(anything, Object.fromEntries([...declared].map(([name, types]) => [name, common(types)])));
}

function inputType(said: string | undefined): ValueType {
  return said === "boolean" || said === "number" ? { kind: said } : text;
}

/** Keys that are missing are told of elsewhere. */
function matrixType(matrix: YamlNode | undefined): ValueType {
  if (matrix?.kind !== "mapping") return anything;
  const include = nodeAt(matrix, "include");
  if (include !== undefined && include.kind !== "sequence") return anything;
  const values = new Map<string, ValueType[]>();
  const add = (key: string, type: ValueType): void => void values.set(key, [...(values.get(key) ?? []), type]);
  for (const { key, value } of matrix.pairs) {
    if (key.value === "include" || key.value === "exclude") continue;
    if (value.kind !== "sequence") add(key.value.toLowerCase(), anything);
    for (const item of itemsOf(value)) add(key.value.toLowerCase(), typeOfNode(item));
  }
  for (const item of itemsOf(include)) {
    if (item.kind !== "mapping") return anything;
    for (const { key, value } of item.pairs) add(key.value.toLowerCase(), typeOfNode(value));
  }
  return record(anything, Object.fromEntries([...values].map(([name, types]) => [name, common(types)])));
}

function typeOfNode(node: YamlNode): ValueType {
  if (node.kind === "sequence") return { kind: "array", item: common(node.items.map(typeOfNode)) };
  if (node.kind === "mapping") {
    const known = node.pairs.map(({ key, value }) => [key.value.toLowerCase(), typeOfNode(value)] as const);
    return { kind: "object", fields: new Map(known) };
  }
  if (node.value === null) return { kind: "null" };
  if (typeof node.value === "string" && node.value.includes("${{")) return anything;
  return { kind: typeof node.value as "boolean" | "number" | "string" };
}
