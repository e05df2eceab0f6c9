/** `on:` */
import type { DispatchInput, PathFilters, PullRequestTrigger, RefFilters, Triggers } from "./model.ts";
import type { NodeReader } from "./node-reader.ts";
import type { YamlNode } from "./yaml-tree.ts";

/** Events this server starts runs for. */
const events = ["push", "pull_request", "workflow_dispatch"] as const;
type KnownEvent = (typeof events)[number];

const defaultPullRequestTypes = ["opened", "synchronize", "reopened"] as const;

export function readTriggers(reader: NodeReader, node: YamlNode | undefined): Triggers {
  const triggers: { -readonly [K in keyof Triggers]: Triggers[K] } = {};
  for (const { name, config, at } of eventEntries(reader, node)) {
    if (!(events as readonly string[]).includes(name)) {
      const known = events.join(", ");
      reader.warn(at, `Event "${name}" does not start runs on this server yet. It knows ${known}`, "on");
      continue;
    }
    Object.assign(triggers, readEvent(reader, name as KnownEvent, config));
  }
  return triggers;
}

interface EventEntry {
  readonly name: string;
  readonly config: YamlNode | undefined;
  readonly at: YamlNode;
}

/** `on: push`, `on: [push]` and `on: { push: … }` alike. */
function eventEntries(reader: NodeReader, node: YamlNode | undefined): readonly EventEntry[] {
  if (node === undefined) return [];
  if (node.kind === "mapping") {
    return node.pairs.map((pair) => ({ name: pair.key.value, config: pair.value, at: pair.key }));
  }
  const items = node.kind === "sequence" ? node.items : [node];
  return items.flatMap((item) => {
    const name = reader.name(item);
    return name === undefined ? [] : [{ name, config: undefined, at: item }];
  });
}

function readEvent(reader: NodeReader, name: KnownEvent, config: YamlNode | undefined): Triggers {
  switch (name) {
    case "push":
      return { push: { ...refFilters(reader, config, ["branches", "tags"]), ...pathFilters(reader, config) } };
    case "pull_request":
      return { pullRequest: readPullRequest(reader, config) };
    case "workflow_dispatch":
      return { workflowDispatch: { inputs: readInputs(reader, config) } };
  }
}

function readPullRequest(reader: NodeReader, config: YamlNode | undefined): PullRequestTrigger {
  const types = reader.texts(reader.get(config, "types")) ?? defaultPullRequestTypes;
  return { types, ...refFilters(reader, config, ["branches"]), ...pathFilters(reader, config) };
}

function refFilters(
  reader: NodeReader,
  config: YamlNode | undefined,
  kinds: readonly ("branches" | "tags")[],
): RefFilters {
  const filters: { -readonly [K in keyof RefFilters]: RefFilters[K] } = {};
  for (const kind of kinds) {
    const { only, ignore } = filterPair(reader, config, kind);
    if (only !== undefined) filters[kind] = only;
    if (ignore !== undefined) filters[`${kind}Ignore`] = ignore;
  }
  return filters;
}

function pathFilters(reader: NodeReader, config: YamlNode | undefined): PathFilters {
  const { only, ignore } = filterPair(reader, config, "paths");
  return {
    ...(only === undefined ? {} : { paths: only }),
    ...(ignore === undefined ? {} : { pathsIgnore: ignore }),
  };
}

function filterPair(
  reader: NodeReader,
  config: YamlNode | undefined,
  key: string,
): { readonly only: readonly string[] | undefined; readonly ignore: readonly string[] | undefined } {
  const only = reader.texts(reader.get(config, key));
  const ignored = reader.pair(config, `${key}-ignore`);
  const ignore = reader.texts(ignored?.value);
  if (only !== undefined && ignored !== undefined) {
    reader.error(ignored.key, `"${key}" and "${key}-ignore" exclude each other. Use "${key}" with "!" patterns`, "on");
  }
  if (only !== undefined && only.length > 0 && only.every((pattern) => pattern.startsWith("!"))) {
    const pair = reader.pair(config, key);
    if (pair !== undefined) {
      reader.error(pair.key, `"${key}" has only "!" patterns, which never match. Use "${key}-ignore"`, "on");
    }
  }
  return { only, ignore };
}

const inputTypes = ["string", "boolean", "number", "choice", "environment"] as const;

function readInputs(reader: NodeReader, config: YamlNode | undefined): readonly DispatchInput[] {
  return reader.pairs(reader.get(config, "inputs")).map((pair) => {
    const { value } = pair;
    const type = inputTypes.find((known) => known === reader.text(reader.get(value, "type"))) ?? "string";
    const options = reader.texts(reader.get(value, "options")) ?? [];
    if (type === "choice" && options.length === 0) {
      reader.error(pair.key, `Input "${pair.key.value}" is a choice without options. Add "options"`, "on");
    }
    const description = reader.name(reader.get(value, "description"));
    const initial = reader.get(value, "default");
    const literal = initial?.kind === "scalar" ? initial.value : null;
    return {
      name: pair.key.value,
      type,
      required: reader.booleanOrTemplate(reader.get(value, "required")) === true,
      options,
      ...(description === undefined ? {} : { description }),
      ...(literal === null ? {} : { default: literal }),
    };
  });
}
