import { existsSync, statSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import type { Application, SystemStatus } from "#api";
import { readFileIfExists } from "#lib";
import { homeFolder, readConfig } from "#server";
import { command, type GlobalOptions, openSession, type Session } from "../command.ts";
import { CliError } from "../errors.ts";
import { print, printJson } from "../output.ts";
import { type ApplicationPlan, planApplicationFiles } from "../scaffold/application-files.ts";
import { applyApplication, ensureRepository, findApplication } from "../scaffold/apply.ts";
import { commitAndPush, enclosingRepository, git, type GitAccess, writeFiles } from "../scaffold/git-work.ts";
import {
  applicationManifest,
  type ContainerFacts,
  environmentFiles,
  type Names,
  workflowExample,
} from "../scaffold/templates.ts";

interface InitOptions extends GlobalOptions {
  readonly name?: string;
  readonly environments: string;
  readonly test?: string;
  readonly port?: string;
  readonly health?: string;
}

export function initCommand(): Command {
  return command("init", "Prepare an application for delivery: repositories, workflow, environment", [
    "cd my-app && tidegate init",
    "tidegate init ./my-app --name acme/my-app --test 'npm test' --health /healthz",
  ])
    .argument("[folder]", "the application's folder", ".")
    .option("--name <owner/repo>", "repository to deliver from (default: acme/<folder>)")
    .option("--environments <repo>", "repository of the environments, of the same owner", "environments")
    .option("--test <command>", "the check that the workflow runs (default: npm test where there is such a script)")
    .option("--port <number>", "port in the image (default: what the Dockerfile exposes, else 8080)")
    .option("--health <path>", "path that answers 200 when all is well (default: the port takes connections)")
    .action(init);
}

async function init(folderArgument: string, options: InitOptions): Promise<void> {
  const folder = resolve(folderArgument);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new CliError("cli/usage", `There is no folder "${folder}"`);
  }
  checkOptions(options);
  const session = await openSession(options);
  const names = namesOf(folder, options, session);
  const access: GitAccess = { ...session.client.gitLogin, searchPath: readConfig().hostPath, signal: session.signal };
  await refuseInnerFolder(access, folder);
  const plan = await planFiles(folder, options);
  const follows = await followedSource(session, names);
  await writeFiles(folder, plan.files);
  const repository = `${names.owner}/${names.app}`;
  await ensureRepository(session.client, repository);
  await ensureRepository(session.client, `${names.owner}/${names.environments}`);
  const container = { port: Number(options.port ?? plan.containerPort), health: options.health };
  const described = await pushEnvironment(access, names, container);
  if (follows === "nothing") await applyApplication(session.client, await applicationManifest(names));
  await connectFolder(access, folder, repository, options);
  const { addresses } = await session.client.api<SystemStatus>("/status");
  const url = addressOf(names, addresses.traffic);
  const written = [...plan.files.keys()];
  if (options.json === true) {
    printJson({ repository, environments: `${names.owner}/${names.environments}`, written, url });
    return;
  }
  const ownWorkflow = existsSync(join(folder, ".github", "workflows", "deliver.yml"));
  explain(names, { plan, ownWorkflow, described, url });
}

function checkOptions({ port, health, environments }: InitOptions): void {
  if (port !== undefined && !(/^\d+$/.test(port) && Number(port) > 0 && Number(port) < 65_536)) {
    throw new CliError("cli/usage", `--port takes a number from 1 to 65535: "${port}" is not one`);
  }
  if (health !== undefined && !/^\/[\w./~%?=&+-]*$/.test(health)) {
    throw new CliError("cli/usage", `--health takes a path such as /healthz: "${health}" is not one`);
  }
  if (!/^[A-Za-z0-9][\w.-]*$/.test(environments)) {
    const message = `--environments takes the name of a repository without its owner: "${environments}" is not one`;
    throw new CliError("cli/usage", message);
  }
}

function namesOf(folder: string, options: InitOptions, { client }: Session): Names {
  const name = options.name ?? `acme/${nameOfFolder(folder)}`;
  const [owner = "", app = "", ...rest] = name.split("/");
  // The name becomes a Service and a label, so Kubernetes' rule is the stricter one.
  const valid = /^[a-z]([a-z0-9-]{0,51}[a-z0-9])?$/.test(app) && /^[A-Za-z0-9][\w.-]*$/.test(owner);
  if (!valid || rest.length > 0 || app === options.environments) {
    const from = options.name === undefined ? `The folder's name makes "${name}"` : `--name is "${name}"`;
    const rule = `owner/repo with a repo of at most 53 lower-case letters, digits and "-" that begins with a letter`;
    const other = app === options.environments ? `: "${app}" is the repository of the environments` : "";
    throw new CliError("cli/usage", `${from}${other}: give --name ${rule}, e.g. --name acme/my-app`);
  }
  const registry = client.url.replace(/^https?:\/\//, "");
  return { owner, app, environments: options.environments, registry, controlUrl: client.url };
}

function nameOfFolder(folder: string): string {
  const letters = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-");
  return letters.replaceAll(/^-+|-+$/g, "");
}

/** A push sends a whole repository, so the application has to be the whole of one. */
async function refuseInnerFolder(access: GitAccess, folder: string): Promise<void> {
  const root = await enclosingRepository(access, folder);
  if (root === undefined || root === (await realpath(folder))) return;
  const message = `"${folder}" is part of the git repository "${root}": run this in its root, or make the folder a repository of its own first (git init)`;
  throw new CliError("cli/failed", message);
}

async function planFiles(folder: string, options: InitOptions): Promise<ApplicationPlan> {
  const looked = [".dockerignore", ".gitignore", "package-lock.json", "server.js"];
  return planApplicationFiles({
    folder,
    packageJson: await readFileIfExists(join(folder, "package.json")),
    dockerfile: await readFileIfExists(join(folder, "Dockerfile")),
    existing: new Set(looked.filter((path) => existsSync(join(folder, path)))),
    hasWorkflows: [".github", ".forgejo"].some((where) => existsSync(join(folder, where, "workflows"))),
    test: options.test,
    workflowExample: await workflowExample(),
  });
}

/** One application a name: an existing one is left as it is, if it is this one's. */
async function followedSource({ client }: Session, names: Names): Promise<"nothing" | "this"> {
  const found = await findApplication(client, names.app);
  if (found === undefined) return "nothing";
  const { repoURL = "", path = "" } = (found as Application).spec.source ?? {};
  const mine = repoURL.endsWith(`/${names.owner}/${names.environments}`) && path.startsWith(`apps/${names.app}/`);
  if (mine) return "this";
  const message = `There is an application "${names.app}" already, which follows ${repoURL} ${path}: choose another name with --name`;
  throw new CliError("cli/failed", message);
}

/** Adds the application's folder to the environments repository; false when it is there. */
async function pushEnvironment(access: GitAccess, names: Names, container: ContainerFacts): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-init-"));
  try {
    await git(access, folder, ["init", "--quiet"]);
    const repository = `${names.owner}/${names.environments}`;
    const heads = await git(access, folder, ["ls-remote", "--heads", `${access.url}/${repository}`, "main"]);
    if (heads !== "") await git(access, folder, ["pull", "--quiet", `${access.url}/${repository}`, "main"]);
    if (existsSync(join(folder, "apps", names.app))) return false;
    await writeFiles(folder, await environmentFiles(names, container));
    await commitAndPush(access, folder, repository, `Describe production of ${names.app}`);
    return true;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The folder gets a remote that finds its password by asking this command line, so no token lies in its config. */
async function connectFolder(
  access: GitAccess,
  folder: string,
  repository: string,
  options: InitOptions,
): Promise<void> {
  if (!existsSync(join(folder, ".git"))) await git(access, folder, ["init", "--quiet"]);
  const remotes = (await git(access, folder, ["remote"])).split("\n");
  const action = remotes.includes("tidegate") ? "set-url" : "add";
  await git(access, folder, ["remote", action, "tidegate", `${access.url}/${repository}`]);
  const bin = join(import.meta.dirname, "..", "bin.js");
  const home = access.fromHome ? ` --home "${homeFolder(options.home)}"` : "";
  const helper = `!"${process.execPath}" "${bin}" credential${home}`;
  await git(access, folder, ["config", `credential.${access.url}.helper`, helper]);
}

function addressOf(names: Names, traffic: string): string {
  return `http://${names.app}.production.localhost:${new URL(traffic).port}/`;
}

interface Done {
  readonly plan: ApplicationPlan;
  /** Whether the workflow is the one that this command writes, now or earlier. */
  readonly ownWorkflow: boolean;
  readonly described: boolean;
  readonly url: string;
}

function explain(names: Names, { plan, ownWorkflow, described, url }: Done): void {
  const environment = `apps/${names.app} in ${names.owner}/${names.environments}`;
  for (const path of plan.files.keys()) print(`wrote ${path}`);
  print(described ? `pushed ${environment}` : `kept ${environment} as it is`);
  if (!ownWorkflow) {
    print("kept the workflows as they are: one of them has to push the image, as docs/workflows.md shows");
  }
  print(`\n${names.owner}/${names.app} is ready for delivery. Next:\n`);
  print("  git add -A && git commit -m 'Deliver with Tidegate'");
  print("  git push tidegate HEAD:main\n");
  print("Watch it with: tidegate status");
  print(`It will answer at ${url} once it listens on the port that $PORT names.`);
}
