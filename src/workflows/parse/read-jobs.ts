/** `jobs:` */
import { isObject } from "#lib";
import type { ContextObject, ContextValue } from "../protocol.ts";
import { checkGraph } from "./check-graph.ts";
import { idProblem } from "./identifiers.ts";
import type { Job, JobEnvironment, RunsOn, Strategy } from "./model.ts";
import type { NodeReader } from "./node-reader.ts";
import { readCall } from "./read-calls.ts";
import { readCondition } from "./read-conditions.ts";
import { readConcurrency, readDefaults, readFlag, readPermissions } from "./read-shared.ts";
import { defined, readSteps } from "./read-steps.ts";
import type { Dialect } from "./schema-check.ts";
import type { YamlNode, YamlPair } from "./yaml-tree.ts";

/** `needs` of the result are spelled as the keys they name; names do not distinguish case. */
export function readJobs(reader: NodeReader, node: YamlNode | undefined, dialect: Dialect): readonly Job[] {
  const pairs = reader.pairs(node);
  const jobs = pairs.map((pair) => readJob(reader, pair, dialect));
  checkGraph(reader, jobs, pairs, node);
  const keys = new Map(jobs.map((job) => [job.key.toLowerCase(), job.key]));
  return jobs.map((job) => ({
    ...job,
    needs: [...new Set(job.needs.map((need) => keys.get(need.toLowerCase()) ?? need))],
  }));
}

function readJob(reader: NodeReader, pair: YamlPair, dialect: Dialect): Job {
  const node = pair.value;
  const wrong = pair.key.value === "" ? undefined : idProblem("Job id", pair.key.value);
  if (wrong !== undefined) reader.error(pair.key, wrong, "jobs");
  warnSnapshot(reader, node);
  checkImages(reader, node);
  const values = {
    name: reader.name(reader.get(node, "name")),
    timeoutMinutes: reader.numberOrTemplate(reader.get(node, "timeout-minutes")),
    cancelTimeoutMinutes: reader.numberOrTemplate(reader.get(node, "cancel-timeout-minutes")),
    permissions: readPermissions(reader, reader.get(node, "permissions")),
    openIdConnect: readFlag(reader, node, "enable-openid-connect"),
    concurrency: readConcurrency(reader, reader.get(node, "concurrency")),
    environment: readEnvironment(reader, node),
    container: tree(reader, reader.get(node, "container")),
    services: tree(reader, reader.get(node, "services")),
    call: readCall(reader, node),
  };
  return {
    ...defined(values),
    key: pair.key.value,
    needs: reader.texts(reader.get(node, "needs")) ?? [],
    if: readCondition(reader, reader.get(node, "if"), "job-if", dialect),
    runsOn: readRunsOn(reader, reader.get(node, "runs-on")),
    strategy: readStrategy(reader, reader.get(node, "strategy")),
    env: reader.record(reader.get(node, "env")),
    defaults: readDefaults(reader, reader.get(node, "defaults")),
    outputs: reader.record(reader.get(node, "outputs")),
    steps: readSteps(reader, reader.get(node, "steps"), dialect),
    continueOnError: reader.booleanOrTemplate(reader.get(node, "continue-on-error")) ?? false,
    at: reader.at(pair.key.start),
  };
}

function tree(reader: NodeReader, node: YamlNode | undefined): ContextValue | undefined {
  const json = node === undefined ? null : reader.json(node);
  return json === null || json === "" ? undefined : json;
}

/** An image may be empty by an expression: there is no container then. Written empty, it is forgotten. */
function checkImages(reader: NodeReader, node: YamlNode): void {
  const services = reader.pairs(reader.get(node, "services")).map((pair) => pair.value);
  for (const container of [reader.get(node, "container"), ...services]) {
    if (container?.kind !== "mapping" || reader.name(reader.get(container, "image")) !== undefined) continue;
    reader.error(container, 'Container has no "image". Add it', "container");
  }
}

/** GitHub keeps images of its own machines; a runner here is no image. */
function warnSnapshot(reader: NodeReader, node: YamlNode): void {
  const pair = reader.pair(node, "snapshot");
  if (pair === undefined) return;
  const message = '"snapshot" makes an image of a machine of GitHub and has no effect here. Remove it';
  reader.warn(pair.key, message, "snapshot");
}

function readEnvironment(reader: NodeReader, node: YamlNode): JobEnvironment | undefined {
  const found = reader.pair(node, "environment");
  if (found === undefined) return undefined;
  const name = reader.name(found.value) ?? reader.name(reader.get(found.value, "name"));
  if (name === undefined) return undefined;
  const values = {
    url: reader.name(reader.get(found.value, "url")),
    deployment: reader.booleanOrTemplate(reader.get(found.value, "deployment")),
  };
  return { name, ...defined(values) };
}

function readRunsOn(reader: NodeReader, node: YamlNode | undefined): RunsOn {
  if (node?.kind !== "mapping") return { labels: node === undefined ? [] : reader.json(node) };
  const labels = reader.get(node, "labels");
  const group = reader.get(node, "group");
  if (group !== undefined) checkGroup(reader, group);
  return { labels: labels === undefined ? [] : reader.json(labels), ...defined({ group: reader.name(group) }) };
}

function checkGroup(reader: NodeReader, node: YamlNode): void {
  const group = reader.name(node) ?? "";
  if (group.includes("${{") || /^([^/]+|(org|organization|ent|enterprise)\/[^/]+)$/.test(group)) return;
  reader.error(node, `"${group}" is not the name of a runner group. Write "name" or "organization/name"`, "runs-on");
}

function readStrategy(reader: NodeReader, node: YamlNode | undefined): Strategy {
  const whole = reader.name(node);
  if (whole !== undefined) return { whole, failFast: true };
  const matrix = reader.get(node, "matrix");
  checkVectors(reader, matrix);
  checkExcludes(reader, matrix);
  const json = matrix === undefined ? undefined : reader.json(matrix);
  const values = {
    maxParallel: reader.numberOrTemplate(reader.get(node, "max-parallel")),
    matrix: isMatrix(json) ? json : undefined,
  };
  return { ...defined(values), failFast: reader.booleanOrTemplate(reader.get(node, "fail-fast")) ?? true };
}

function checkVectors(reader: NodeReader, matrix: YamlNode | undefined): void {
  for (const { key, value } of reader.pairs(matrix)) {
    if (["include", "exclude"].includes(key.value.toLowerCase())) continue;
    if (value.kind !== "sequence" || value.items.length > 0) continue;
    reader.error(value, `Matrix has no values for "${key.value}". Give it at least one, or remove it`, "matrix");
  }
}

/** What is told when the matrix is made, where the file says all of it. */
function checkExcludes(reader: NodeReader, matrix: YamlNode | undefined): void {
  const exclude = reader.get(matrix, "exclude");
  const keys = reader.pairs(matrix).map(({ key }) => key.value);
  const lists = keys.filter((key) => !["include", "exclude"].includes(key.toLowerCase()));
  if (exclude?.kind !== "sequence" || lists.some((key) => key.includes("${{"))) return;
  const known = new Set(lists.map((key) => key.toLowerCase()));
  for (const { key } of exclude.items.flatMap((item) => reader.pairs(item))) {
    if (key.value.includes("${{") || known.has(key.value.toLowerCase())) continue;
    const there = lists.length === 0 ? "It has none" : `Its lists are ${lists.join(", ")}`;
    reader.error(key, `"${key.value}" is no list of the matrix. ${there}`, "exclude");
  }
}

function isMatrix(json: ContextValue | undefined): json is string | ContextObject {
  return typeof json === "string" || isObject(json);
}
