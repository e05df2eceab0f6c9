/** `jobs:` and what workflows and jobs have in common. */
import { isObject } from "#lib";
import type { ContextObject, ContextValue } from "../protocol.ts";
import type { Concurrency, Job, PermissionLevel, Permissions, RunDefaults, RunsOn, Strategy } from "./model.ts";
import type { NodeReader } from "./node-reader.ts";
import { readCondition } from "./read-conditions.ts";
import { defined, readSteps } from "./read-steps.ts";
import type { Dialect } from "./schema-check.ts";
import type { YamlNode, YamlPair } from "./yaml-tree.ts";

const notYet: readonly (readonly [key: string, what: string, remedy: string])[] = [
  ["uses", "A job that calls a reusable workflow", "Write its steps here"],
  ["services", "A service container", "Start the service in a step"],
  ["container", "A job container", "Run the steps on the runner itself"],
  ["concurrency", "Concurrency of a single job", "Set it for the whole workflow"],
  ["snapshot", "A snapshot of the runner", "Remove it"],
  ["cancel-timeout-minutes", "A time limit of cancelling", "Remove it"],
];

/** `needs` of the result are spelled as the keys they name; names do not distinguish case. */
export function readJobs(reader: NodeReader, node: YamlNode | undefined, dialect: Dialect): readonly Job[] {
  const pairs = reader.pairs(node);
  const jobs = pairs.map((pair) => readJob(reader, pair, dialect));
  checkGraph(reader, jobs, pairs);
  const keys = new Map(jobs.map((job) => [job.key.toLowerCase(), job.key]));
  return jobs.map((job) => ({
    ...job,
    needs: [...new Set(job.needs.map((need) => keys.get(need.toLowerCase()) ?? need))],
  }));
}

function readJob(reader: NodeReader, pair: YamlPair, dialect: Dialect): Job {
  const node = pair.value;
  for (const [key, what, remedy] of notYet) {
    const found = reader.pair(node, key);
    if (found !== undefined) reader.unsupported(found.key, what, remedy);
  }
  const environment = readEnvironment(reader, node);
  const values = {
    name: reader.name(reader.get(node, "name")),
    timeoutMinutes: reader.numberOrTemplate(reader.get(node, "timeout-minutes")),
    permissions: readPermissions(reader, reader.get(node, "permissions")),
    environment,
  };
  return {
    ...defined(values),
    key: pair.key.value,
    needs: reader.texts(reader.get(node, "needs")) ?? [],
    if: readCondition(reader, reader.get(node, "if"), "job-if", dialect),
    runsOn: readRunsOn(reader, reader.get(node, "runs-on")),
    strategy: readStrategy(reader, reader.get(node, "strategy")),
    env: reader.record(reader.get(node, "env"), "env"),
    defaults: readDefaults(reader, reader.get(node, "defaults")),
    outputs: reader.record(reader.get(node, "outputs"), "outputs"),
    steps: readSteps(reader, reader.get(node, "steps"), dialect),
    continueOnError: reader.booleanOrTemplate(reader.get(node, "continue-on-error")) ?? false,
    at: reader.at(pair.key.start),
  };
}

function readEnvironment(reader: NodeReader, node: YamlNode): Job["environment"] | undefined {
  const found = reader.pair(node, "environment");
  if (found === undefined) return undefined;
  const name = reader.name(found.value) ?? reader.name(reader.get(found.value, "name"));
  if (name === undefined) return undefined;
  const url = reader.name(reader.get(found.value, "url"));
  // GitHub runs a job of an environment nobody protected at once, too; protection cannot be set up here yet.
  const message = `Environment "${name}" has no protection rules on this server yet: the job waits for no approval`;
  reader.warn(found.key, message, "environment");
  return { name, ...(url === undefined ? {} : { url }) };
}

function readRunsOn(reader: NodeReader, node: YamlNode | undefined): RunsOn {
  if (node?.kind !== "mapping") return { labels: node === undefined ? [] : reader.json(node) };
  const labels = reader.get(node, "labels");
  const group = reader.pair(node, "group");
  if (group !== undefined) reader.unsupported(group.key, "A runner group", "Select runners by labels");
  return { labels: labels === undefined ? [] : reader.json(labels) };
}

function readStrategy(reader: NodeReader, node: YamlNode | undefined): Strategy {
  const matrix = reader.get(node, "matrix");
  const json = matrix === undefined ? undefined : reader.json(matrix);
  const values = {
    maxParallel: reader.numberOrTemplate(reader.get(node, "max-parallel")),
    matrix: isMatrix(json) ? json : undefined,
  };
  return { ...defined(values), failFast: reader.booleanOrTemplate(reader.get(node, "fail-fast")) ?? true };
}

function isMatrix(json: ContextValue | undefined): json is string | ContextObject {
  return typeof json === "string" || isObject(json);
}

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

/** Jobs that are needed exist, and no job needs itself by any way. */
function checkGraph(reader: NodeReader, jobs: readonly Job[], pairs: readonly YamlPair[]): void {
  const byKey = new Map(jobs.map((job) => [job.key.toLowerCase(), job]));
  for (const [index, job] of jobs.entries()) {
    const node = pairs[index]?.value;
    const needs = reader.get(node, "needs") ?? pairs[index]?.key;
    if (node === undefined || needs === undefined) continue;
    for (const need of job.needs) {
      if (byKey.has(need.toLowerCase())) continue;
      const names = jobs.map((other) => other.key).join(", ");
      reader.error(needs, `Job "${job.key}" needs "${need}", which is not a job. Jobs are ${names}`, "needs");
    }
    if (needsItself(job, byKey)) {
      reader.error(needs, `Job "${job.key}" needs itself by way of its needs. Break the circle`, "needs");
    }
  }
}

function needsItself(job: Job, byKey: ReadonlyMap<string, Job>): boolean {
  const seen = new Set<string>();
  const open = [...job.needs];
  for (let need = open.pop(); need !== undefined; need = open.pop()) {
    const key = need.toLowerCase();
    if (key === job.key.toLowerCase()) return true;
    if (seen.has(key)) continue;
    seen.add(key);
    open.push(...(byKey.get(key)?.needs ?? []));
  }
  return false;
}
