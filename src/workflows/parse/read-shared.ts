/** What workflows and jobs have in common. */
import type { Concurrency, PermissionLevel, Permissions, RunDefaults } from "./model.ts";
import type { NodeReader } from "./node-reader.ts";
import { defined } from "./read-steps.ts";
import type { YamlNode } from "./yaml-tree.ts";

export function readDefaults(reader: NodeReader, node: YamlNode | undefined): RunDefaults {
  const run = reader.get(node, "run");
  return defined({
    shell: reader.name(reader.get(run, "shell")),
    workingDirectory: reader.name(reader.get(run, "working-directory")),
  });
}

export function readPermissions(reader: NodeReader, node: YamlNode | undefined): Permissions | undefined {
  if (node === undefined) return undefined;
  const all = reader.text(node);
  if (all === "read-all" || all === "write-all") return all;
  const entries = reader
    .pairs(node)
    .map((pair) => [pair.key.value, (reader.text(pair.value) ?? "none") as PermissionLevel]);
  return Object.fromEntries(entries) as Permissions;
}

export function readConcurrency(reader: NodeReader, node: YamlNode | undefined): Concurrency | undefined {
  if (node === undefined) return undefined;
  const group = reader.name(node) ?? reader.name(reader.get(node, "group"));
  if (group === undefined) return undefined;
  const cancelInProgress = reader.booleanOrTemplate(reader.get(node, "cancel-in-progress")) ?? false;
  const queue = reader.text(reader.get(node, "queue")) === "max" ? "max" : "single";
  const pair = reader.pair(node, "queue");
  if (queue === "max" && cancelInProgress === true && pair !== undefined) {
    reader.error(pair.key, '"queue: max" excludes "cancel-in-progress". Keep one of the two', "concurrency");
  }
  return { group, cancelInProgress, queue };
}

/** A literal flag; undefined when it is not there. */
export function readFlag(reader: NodeReader, node: YamlNode | undefined, key: string): boolean | undefined {
  const value = reader.booleanOrTemplate(reader.get(node, key));
  return typeof value === "boolean" ? value : undefined;
}
