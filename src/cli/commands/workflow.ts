import type { Command } from "commander";
import type { WorkflowSummary } from "#api";
import { formatProblem, isObject, systemClock } from "#lib";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { CliError } from "../errors.ts";
import { print, printJson, table, until } from "../output.ts";

export function workflowCommand(): Command {
  const workflow = command("workflow", "List workflows, start them, send events, switch them on and off", [
    "tidegate workflow list acme/shop",
    "tidegate workflow run acme/shop deliver.yml --input target=staging",
    'tidegate workflow dispatch acme/shop deployed --payload \'{"version":"1.2"}\'',
  ]);
  workflow.addCommand(
    command("list", "List the workflows of the default branch, and when their schedules are due", [
      "tidegate workflow list acme/shop",
    ])
      .argument("<owner/repo>")
      .action(list),
  );
  workflow.addCommand(
    command("run", "Start a workflow that has workflow_dispatch", [
      "tidegate workflow run acme/shop deliver.yml --ref main --input target=staging --input dry=true",
    ])
      .argument("<owner/repo>")
      .argument("<file>", "name of the workflow file")
      .option("--ref <branch>", "branch or tag (default: the default branch)")
      .option("--input <name=value>", "an input; may be given several times", collect, [])
      .action(run),
  );
  workflow.addCommand(
    command("dispatch", "Send a repository_dispatch event", [
      'tidegate workflow dispatch acme/shop deployed --payload \'{"version":"1.2"}\'',
    ])
      .argument("<owner/repo>")
      .argument("<type>", "what the workflows match under types")
      .option("--payload <json>", "an object, read as github.event.client_payload")
      .action(dispatch),
  );
  workflow.addCommand(switchCommand("enable", "Let events start a workflow again", true));
  workflow.addCommand(switchCommand("disable", "Keep every event from starting a workflow", false));
  workflow.addCommand(shareCommand("share", "Let repositories of other owners call the workflows", true));
  workflow.addCommand(shareCommand("unshare", "Let only repositories of the same owner call the workflows", false));
  return workflow;
}

function switchCommand(name: string, description: string, enabled: boolean): Command {
  return command(name, description, [`tidegate workflow ${name} acme/shop nightly.yml`])
    .argument("<owner/repo>")
    .argument("<file>", "name of the workflow file")
    .action(async (repository: string, file: string, options: GlobalOptions) => {
      const { client } = await openSession(options);
      await client.api(`${pathOf(repository)}/workflows/${encodeURIComponent(fileOf(file))}`, {
        method: "PUT",
        body: { enabled },
      });
      if (options.json === true) printJson({ repository, file, enabled });
      else print(`Workflow ${file} of ${repository} is ${name}d.`);
    });
}

function shareCommand(name: string, description: string, shared: boolean): Command {
  return command(name, description, [`tidegate workflow ${name} acme/platform`])
    .argument("<owner/repo>")
    .action(async (repository: string, options: GlobalOptions) => {
      const { client } = await openSession(options);
      await client.api(`${pathOf(repository)}/workflow-access`, { method: "PUT", body: { shared } });
      if (options.json === true) printJson({ repository, shared });
      else
        print(`Workflows of ${repository} ${shared ? "may be called by every repository" : "are its owner's alone"}.`);
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function pathOf(repository: string): string {
  const parts = repository.split("/");
  if (parts.length !== 2 || parts.includes("")) {
    throw new CliError("cli/usage", `"${repository}" is no repository: write owner/repo`);
  }
  return `/repositories/${parts.map(encodeURIComponent).join("/")}`;
}

/** The path of a file means the file. */
function fileOf(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}

async function list(repository: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: WorkflowSummary[] }>(`${pathOf(repository)}/workflows`);
  if (options.json === true) {
    printJson(items);
    return;
  }
  const now = systemClock.now();
  const rows = items.flatMap((one) => {
    const state = one.enabled ? "enabled" : "disabled";
    const events = one.events.filter((event) => event !== "schedule").join(", ");
    const times = one.schedules.map(({ cron, timezone, nextAt }) => [
      `${cron} (${timezone})`,
      nextAt === undefined ? "" : until(nextAt, now),
    ]);
    const [first = ["", ""], ...others] = times;
    return [[one.name, one.path, state, events, ...first], ...others.map((time) => ["", "", "", "", ...time])];
  });
  print(table(["name", "file", "state", "events", "schedule", "next"], rows));
  for (const problem of items.flatMap((one) => one.problems)) print(formatProblem(problem));
}

interface RunOptions extends GlobalOptions {
  readonly ref?: string;
  readonly input: readonly string[];
}

async function run(repository: string, file: string, options: RunOptions): Promise<void> {
  const inputs = Object.fromEntries(
    options.input.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new CliError("cli/usage", `"${text}" is no input: write name=value`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
  const path = `${pathOf(repository)}/workflows/${encodeURIComponent(fileOf(file))}/dispatches`;
  const body = { inputs, ...(options.ref === undefined ? {} : { ref: options.ref }) };
  await start(path, body, options);
}

async function dispatch(
  repository: string,
  type: string,
  options: GlobalOptions & { readonly payload?: string },
): Promise<void> {
  const payload = options.payload === undefined ? {} : readPayload(options.payload);
  await start(`${pathOf(repository)}/dispatches`, { event_type: type, client_payload: payload }, options);
}

function readPayload(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Told below, as what is JSON but no object.
  }
  throw new CliError("cli/usage", `Payload ${text} is no JSON object: write e.g. '{"version":"1.2"}'`);
}

async function start(path: string, body: object, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { runs } = await client.api<{ runs: string[] }>(path, { method: "POST", body });
  if (options.json === true) printJson({ runs });
  else if (runs.length === 0) print("The event started no run: no workflow of the default branch waits for it.");
  else print(`Started ${runs.map((id) => `run ${id}`).join(", ")}. Follow it: tidegate runs ${runs[0] ?? ""}`);
}
