/** `on:` */
import { isTimezone, parseCron } from "../plan/cron.ts";
import type {
  ActivityTrigger,
  BranchFilters,
  PathFilters,
  PullRequestTrigger,
  RefFilters,
  ScheduleTrigger,
  Triggers,
  WorkflowRunTrigger,
} from "./model.ts";
import type { NodeReader } from "./node-reader.ts";
import { readCallInterface, readDispatchInputs } from "./read-inputs.ts";
import type { YamlNode } from "./yaml-tree.ts";

/** Events of which something happens on this server, besides those with a reader of their own. */
const ownActivities: ReadonlySet<string> = new Set(["create", "delete", "release", "registry_package"]);

const defaultPullRequestTypes = ["opened", "synchronize", "reopened"] as const;

export function readTriggers(reader: NodeReader, node: YamlNode | undefined): Triggers {
  const triggers = {};
  const activities: [string, ActivityTrigger][] = [];
  for (const { name, config, at } of eventEntries(reader, node)) {
    const known = Object.hasOwn(readers, name) ? readers[name] : undefined;
    if (known !== undefined) Object.assign(triggers, known(reader, config, at));
    else {
      if (!ownActivities.has(name)) {
        const remedy = "Leave it for the forge that has it, or start the workflow by repository_dispatch";
        reader.warn(at, `Nothing on this server makes the event "${name}", so it starts no runs here. ${remedy}`, "on");
      }
      activities.push([name, readActivity(reader, config)]);
    }
  }
  return activities.length === 0 ? triggers : { ...triggers, activities: Object.fromEntries(activities) };
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

type TriggerReader = (reader: NodeReader, config: YamlNode | undefined, at: YamlNode) => Triggers;

const readers: Readonly<Record<string, TriggerReader>> = {
  push: (reader, config) => ({
    push: { ...refFilters(reader, config, ["branches", "tags"]), ...pathFilters(reader, config) },
  }),
  pull_request: (reader, config) => ({ pullRequest: readPullRequest(reader, config) }),
  pull_request_target: (reader, config) => ({ pullRequestTarget: readPullRequest(reader, config) }),
  workflow_dispatch: (reader, config) => ({ workflowDispatch: { inputs: readDispatchInputs(reader, config) } }),
  workflow_call: (reader, config) => ({ workflowCall: readCallInterface(reader, config) }),
  workflow_run: (reader, config, at) => ({ workflowRun: readWorkflowRun(reader, config, at) }),
  schedule: (reader, config, at) => ({ schedule: readSchedule(reader, config, at) }),
  repository_dispatch: (reader, config) => ({ repositoryDispatch: readTypes(reader, config) }),
};

function readPullRequest(reader: NodeReader, config: YamlNode | undefined): PullRequestTrigger {
  const types = reader.texts(reader.get(config, "types")) ?? defaultPullRequestTypes;
  return { types, ...branchFilters(reader, config), ...pathFilters(reader, config) };
}

function readActivity(reader: NodeReader, config: YamlNode | undefined): ActivityTrigger {
  return { ...readTypes(reader, config), ...branchFilters(reader, config) };
}

function readTypes(reader: NodeReader, config: YamlNode | undefined): { readonly types?: readonly string[] } {
  const types = reader.texts(reader.get(config, "types"));
  return types === undefined ? {} : { types };
}

function readWorkflowRun(reader: NodeReader, config: YamlNode | undefined, at: YamlNode): WorkflowRunTrigger {
  const workflows = reader.texts(reader.get(config, "workflows")) ?? [];
  if (workflows.length === 0) {
    reader.warn(at, '"workflow_run" names no workflows, so no run starts it. Add "workflows" with their names', "on");
  }
  return { workflows, ...readActivity(reader, config) };
}

function readSchedule(reader: NodeReader, config: YamlNode | undefined, at: YamlNode): readonly ScheduleTrigger[] {
  const items = config?.kind === "sequence" ? config.items : [];
  if (items.length === 0) reader.error(at, '"schedule" names no time. Add "- cron: 30 4 * * *" below it', "on");
  return items.flatMap((item) => {
    const text = reader.get(item, "cron");
    const zone = reader.get(item, "timezone");
    const cron = reader.name(text);
    if (text === undefined || cron === undefined) return [];
    const { problem } = parseCron(cron);
    if (problem !== undefined) reader.error(text, problem, "on");
    const timezone = reader.name(zone) ?? "UTC";
    if (zone !== undefined && !isTimezone(timezone)) {
      reader.error(zone, `"${timezone}" is no time zone. Write a name of the IANA list, e.g. Europe/Berlin`, "on");
    }
    return [{ cron, timezone }];
  });
}

function branchFilters(reader: NodeReader, config: YamlNode | undefined): BranchFilters {
  return refFilters(reader, config, ["branches"]);
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
