import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import type { RunnerSummary } from "#api";
import { errorMessage, isObject, readFileIfExists, writeFileAtomic } from "#lib";
import { jobHooks, localEnvironment } from "#server";
import { command, type GlobalOptions, interruptSignal, openSession } from "../command.ts";
import { CliError } from "../errors.ts";
import { print, printJson, table } from "../output.ts";
import { readValue } from "../read-value.ts";

export function runnerCommand(): Command {
  const runner = command("runner", "Runners on other machines: register, run, list, remove; groups of them", [
    "tidegate runner token --group builders   # where the server is: a token to register with, good once, for an hour",
    "tidegate runner register --url http://build-server:7070 --token tgreg_…   # on the other machine",
    "tidegate runner run",
  ]);
  runner.addCommand(
    command("token", "Make a token by which one runner may register within an hour", ["tidegate runner token"])
      .option("--group <name>", "group of the runner (default: Default)")
      .action(invite),
  );
  runner.addCommand(
    command("register", "Make this machine a runner of a server", [
      "tidegate runner register --url http://build-server:7070 --token tgreg_… --labels gpu,fast",
    ])
      .requiredOption("--url <url>", "address of the server")
      .option("--token <token>", "of tidegate runner token (default: asked for, or read from standard input)")
      .option("--name <name>", "what people know it by (default: the name of this machine)")
      .option("--labels <labels>", "beside self-hosted, the system and the architecture; commas between them")
      .option("--replace", "take the place of a runner of this name; a job it has is given to another one")
      .option("--ephemeral", "take one job, then end and be forgotten")
      .option("--jobs <number>", "jobs at a time", "1")
      .option("--folder <folder>", "where the runner keeps its files", ".tidegate-runner")
      .action(register),
  );
  runner.addCommand(
    command("run", "Take jobs until interrupted; an ephemeral runner takes one", ["tidegate runner run"])
      .option("--folder <folder>", "where the runner keeps its files", ".tidegate-runner")
      .option("--once", "take one job, then end; the runner stays registered")
      .action(run),
  );
  runner.addCommand(command("list", "List runners, and what they do", ["tidegate runner list --json"]).action(list));
  runner.addCommand(
    command("remove", "End the registration of a runner; a job it has is given to another one", [
      "tidegate runner remove gpu-1",
    ])
      .argument("<runner>", "its name or id")
      .action(remove),
  );
  runner.addCommand(groupCommand());
  return runner;
}

function groupCommand(): Command {
  const group = command("group", "Which repositories may use the runners of a group", [
    "tidegate runner group set builders acme/shop acme/api",
    "tidegate runner group set Default 'acme/*'",
    "tidegate runner group open builders   # to all again",
    "tidegate runner group list",
  ]);
  group.addCommand(
    command("list", "List groups that are closed to some repositories", ["tidegate runner group list"]).action(
      async (options: GlobalOptions) => {
        const { client } = await openSession(options);
        const { items } = await client.api<{ items: { name: string; repositories: string[] }[] }>("/runner-groups");
        if (options.json === true) printJson(items);
        else
          print(
            table(
              ["group", "repositories"],
              items.map((item) => [item.name, item.repositories.join(" ") || "none"]),
            ),
          );
      },
    ),
  );
  group.addCommand(
    command("set", "Let only these repositories use the runners of a group", [
      "tidegate runner group set builders acme/shop 'platform/*'",
    ])
      .argument("<group>")
      .argument("[owner/repo...]", "owner/* means all of an owner; none at all closes the group")
      .action(async (name: string, repositories: readonly string[], options: GlobalOptions) => {
        const { client } = await openSession(options);
        const body = { repositories };
        const set = await client.api(`/runner-groups/${encodeURIComponent(name)}`, { method: "PUT", body });
        if (options.json === true) printJson(set);
        else print(`Runners of group ${name} take jobs of ${repositories.join(", ") || "no repository"}.`);
      }),
  );
  group.addCommand(
    command("open", "Let every repository use the runners of a group", ["tidegate runner group open builders"])
      .argument("<group>")
      .action(async (name: string, options: GlobalOptions) => {
        const { client } = await openSession(options);
        await client.api(`/runner-groups/${encodeURIComponent(name)}`, { method: "DELETE" });
        if (options.json === true) printJson({ name, open: true });
        else print(`Runners of group ${name} take jobs of every repository.`);
      }),
  );
  return group;
}

async function invite(options: GlobalOptions & { readonly group?: string }): Promise<void> {
  const { client } = await openSession(options);
  const body = options.group === undefined ? {} : { group: options.group };
  const made = await client.api<{ token: string; expiresAt: string }>("/runners/tokens", { method: "POST", body });
  if (options.json === true) printJson(made);
  else print(made.token);
}

interface RegisterOptions extends GlobalOptions {
  readonly url: string;
  readonly token?: string;
  readonly replace?: boolean;
  readonly name?: string;
  readonly labels?: string;
  readonly ephemeral?: boolean;
  readonly jobs: string;
  readonly folder: string;
}

async function register(options: RegisterOptions): Promise<void> {
  const concurrency = Number(options.jobs);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256) {
    throw new CliError("cli/usage", `--jobs takes a whole number from 1 to 256: "${options.jobs}" is not one`);
  }
  if (!/^https?:\/\/[^/]+\/?$/.test(options.url)) {
    throw new CliError(
      "cli/usage",
      `--url takes the address of a server, e.g. http://build-server:7070: "${options.url}"`,
    );
  }
  const file = configFile(options.folder);
  if ((await readFileIfExists(file)) !== undefined) {
    throw new CliError(
      "cli/usage",
      `"${dirname(file)}" is a runner already: remove the folder, or give another --folder`,
    );
  }
  const controlUrl = options.url.replace(/\/$/, "");
  const name = options.name ?? hostname();
  if (name === "" || name.length > 100) throw new CliError("cli/usage", "--name takes 1 to 100 characters");
  const given = (options.labels ?? "").split(",").map((label) => label.trim());
  const labels = [...new Set(["self-hosted", system, architecture, ...given.filter((label) => label !== "")])];
  const ephemeral = options.ephemeral === true;
  const token = options.token ?? (await readValue("the registration token", interruptSignal())).trim();
  const body = { name, labels, ephemeral, replace: options.replace === true };
  const made = await sendRegistration(controlUrl, token, body);
  const config = { controlUrl, ...made, name, labels, concurrency, ephemeral };
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFileAtomic(file, JSON.stringify(config, undefined, 2), 0o600);
  if (options.json === true) printJson({ id: made.runnerId, name, labels, group: made.group, folder: dirname(file) });
  else
    print(
      `Runner ${name} is registered in group ${made.group}. Start it: tidegate runner run --folder ${options.folder}`,
    );
}

const system = process.platform === "darwin" ? "macos" : "linux";
const architecture = process.arch === "arm64" ? "arm64" : "x64";

function configFile(folder: string): string {
  return join(resolve(folder), "runner.json");
}

interface Registered {
  readonly runnerId: string;
  readonly token: string;
  readonly group: string;
  readonly ports: readonly number[];
}

async function sendRegistration(url: string, token: string, body: object): Promise<Registered> {
  let response: Response;
  try {
    response = await fetch(`${url}/api/tidegate/v1/runner/register`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch (error) {
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message : errorMessage(error);
    throw new CliError(
      "cli/failed",
      `Cannot register with "${url}": ${why}. Is the server there, and its port open to this machine?`,
    );
  }
  const answer: unknown = await response.json().catch(() => ({}));
  if (!response.ok || !isObject(answer)) {
    const failed = isObject(answer) && isObject(answer["error"]) ? answer["error"] : answer;
    const failure = isObject(failed) ? failed["message"] : undefined;
    throw new CliError(
      "cli/failed",
      `Cannot register with "${url}": ${typeof failure === "string" ? failure : `it answered ${response.status}`}`,
    );
  }
  const { id, ...rest } = answer as unknown as Omit<Registered, "runnerId"> & { readonly id: string };
  return { runnerId: id, ...rest };
}

interface RunOptions extends GlobalOptions {
  readonly folder: string;
  readonly once?: boolean;
}

async function run(options: RunOptions): Promise<void> {
  const file = configFile(options.folder);
  const text = await readFileIfExists(file);
  if (text === undefined) {
    throw new CliError(
      "cli/usage",
      `There is no runner in "${dirname(file)}": register one with tidegate runner register`,
    );
  }
  const { env, nodePath, variable } = localEnvironment();
  const engine = variable("DOCKER_HOST");
  const runtimeFolder = variable("XDG_RUNTIME_DIR");
  const config = {
    ...registrationIn(text, file),
    ...(options.once === true ? { ephemeral: true } : {}),
    workFolder: join(dirname(file), "work"),
    nodePath,
    baseEnv: env,
    hooks: jobHooks(variable),
    ...(engine === undefined ? {} : { engine }),
    ...(runtimeFolder === undefined ? {} : { userEngine: `${runtimeFolder}/podman/podman.sock` }),
  };
  const main = join(import.meta.dirname, "..", "..", "runner", "process", "main.ts");
  const child = spawn(nodePath, [main], { env, stdio: ["pipe", "inherit", "inherit"] });
  child.stdin.end(JSON.stringify(config));
  const stop = interruptSignal();
  stop.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new CliError("cli/failed", "The runner ended with an error: what it said is above");
}

function registrationIn(text: string, file: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw new CliError(
    "cli/failed",
    `"${file}" cannot be read as the registration of a runner: remove its folder and register again`,
  );
}

async function list(options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: RunnerSummary[] }>("/runners");
  if (options.json === true) {
    printJson(items);
    return;
  }
  const rows = items.map((item) => [
    item.registered ? item.id : "-",
    item.name,
    item.state,
    item.group,
    item.labels.join(" "),
    item.jobs.map((job) => `${job.name} of run ${job.runId}`).join(", ") || (item.ephemeral ? "takes one" : "-"),
    item.lastSeenAt ?? "never",
  ]);
  print(table(["id", "name", "state", "group", "labels", "jobs", "last seen"], rows));
}

async function remove(runner: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: RunnerSummary[] }>("/runners");
  const found = items.filter((item) => item.registered && (item.id === runner || item.name === runner));
  const [{ id } = { id: runner }] = found;
  if (found.length > 1) {
    const ids = found.map((item) => item.id).join(", ");
    throw new CliError("cli/usage", `There are ${found.length} runners "${runner}": name one by its id, ${ids}`);
  }
  await client.api(`/runners/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (options.json === true) printJson({ id, removed: true });
  else print(`Runner ${id} is removed.`);
}
