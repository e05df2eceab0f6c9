/** Text of a workflow file in, model and all its problems out. Pure, apart from reading the schema once. */
import type { Checked, Problem } from "#lib";
import { defined } from "./read-steps.ts";
import type { Workflow } from "./model.ts";
import { NodeReader } from "./node-reader.ts";
import { readJobs } from "./read-jobs.ts";
import { readConcurrency, readDefaults, readFlag, readPermissions } from "./read-shared.ts";
import { readTriggers } from "./read-triggers.ts";
import { checkSchema, type Dialect } from "./schema-check.ts";
import { readYamlTree, type YamlLimits, type YamlNode } from "./yaml-tree.ts";

export interface WorkflowText {
  /** Path in the repository. */
  readonly path: string;
  readonly text: string;
}

/** Whether a file at this path is a workflow. */
export function isWorkflowPath(path: string): boolean {
  return /^\.(github|forgejo)\/workflows\/[^/]+\.ya?ml$/.test(path);
}

/**
 * The files that count of all workflow files of a commit: as Forgejo has it, those of its own folder alone when it has
 * any. A repository that carries both for two forges would otherwise do everything twice.
 */
export function effectiveFiles(files: readonly WorkflowText[]): readonly WorkflowText[] {
  const workflows = files.filter((file) => isWorkflowPath(file.path));
  const own = workflows.filter((file) => file.path.startsWith(".forgejo/"));
  return own.length > 0 ? own : workflows;
}

/** The value is there even with problems whenever the text is a mapping, for its triggers at least. */
export function parseWorkflowFile(path: string, text: string, limits?: YamlLimits): Checked<Workflow> {
  const tree = readYamlTree(path, text, limits);
  if (tree.value === undefined) return { problems: first(tree.problems) };
  const dialect: Dialect = path.startsWith(".forgejo/") ? "forgejo" : "github";
  const reader = new NodeReader(path);
  reader.problems.push(...tree.problems);
  const merges = mergeKeys(path, tree.value);
  // What is merged stands where no such value is taken: one word is enough.
  reader.problems.push(
    ...(merges.length > 0 ? merges : checkSchema(path, tree.value, "workflow-root-strict", dialect)),
  );
  if (tree.value.kind !== "mapping") return { problems: first(reader.problems) };
  const root = tree.value;
  const values = {
    runName: reader.name(reader.get(root, "run-name")),
    permissions: readPermissions(reader, reader.get(root, "permissions")),
    concurrency: readConcurrency(reader, reader.get(root, "concurrency")),
    openIdConnect: readFlag(reader, root, "enable-openid-connect"),
  };
  const workflow: Workflow = {
    ...defined(values),
    path,
    name: reader.name(reader.get(root, "name")) ?? path,
    on: readTriggers(reader, reader.get(root, "on")),
    env: reader.record(reader.get(root, "env")),
    defaults: readDefaults(reader, reader.get(root, "defaults")),
    jobs: readJobs(reader, reader.get(root, "jobs"), dialect),
  };
  return { value: workflow, problems: first(sorted(reader.problems)) };
}

/** YAML 1.1 had merge keys; Actions reads 1.2, where `<<` is a key like any other. */
function mergeKeys(file: string, node: YamlNode): readonly Problem[] {
  if (node.kind === "scalar") return [];
  if (node.kind === "sequence") return node.items.flatMap((item) => mergeKeys(file, item));
  return node.pairs.flatMap(({ key, value }) => {
    if (key.value !== "<<") return mergeKeys(file, value);
    const message =
      'Merge keys ("<<") are not read in workflows. Write the keys out, or give the whole mapping as an alias';
    return [{ path: "", message, at: { file, ...key.start } }];
  });
}

/** The problems of all workflow files among these, for the answer to a push. */
export function checkFiles(files: readonly WorkflowText[]): readonly Problem[] {
  return effectiveFiles(files).flatMap((file) => parseWorkflowFile(file.path, file.text).problems);
}

const maxProblems = 100;

/** As many as anybody reads, the errors first when there are more. */
function first(problems: readonly Problem[]): readonly Problem[] {
  if (problems.length <= maxProblems) return problems;
  const errors = problems.filter((problem) => problem.severity !== "warning");
  const kept = sorted((errors.length > 0 ? errors : problems).slice(0, maxProblems));
  const message = `There are ${problems.length - kept.length} more problems. Correct these first`;
  const { at } = kept.at(-1) ?? {};
  return [...kept, { path: "", message, ...(at === undefined ? {} : { at }), severity: "warning" }];
}

function sorted(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => {
    const lines = (a.at?.line ?? 0) - (b.at?.line ?? 0);
    return lines === 0 ? (a.at?.column ?? 0) - (b.at?.column ?? 0) : lines;
  });
}
