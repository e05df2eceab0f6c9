import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { readFileIfExists, writeFileAtomic } from "#lib";
import { homeFolder, homeOf, readConfig } from "#server";
import { command, type GlobalOptions, openSession, type Session } from "../command.ts";
import { CliError } from "../errors.ts";
import { print, printJson } from "../output.ts";
import { applyApplication, ensureRepository } from "../scaffold/apply.ts";
import { commitAndPush, git, type GitAccess, writeFiles } from "../scaffold/git-work.ts";
import { applicationManifest, environmentFiles, type Names, workflowFile } from "../scaffold/templates.ts";

interface InitOptions extends GlobalOptions {
  readonly name?: string;
  readonly environments: string;
  readonly test?: string;
}

export function initCommand(): Command {
  return command("init", "Prepare an application for delivery: repositories, workflow, environment", [
    "cd my-app && tidegate init",
    "tidegate init ./my-app --name acme/my-app --test 'npm test'",
  ])
    .argument("[folder]", "the application's folder", ".")
    .option("--name <owner/repo>", "repository to deliver from (default: acme/<folder>)")
    .option("--environments <repo>", "repository of the environments, of the same owner", "environments")
    .option("--test <command>", "the check that the workflow runs (default: npm test where there is a package.json)")
    .action(init);
}

async function init(folderArgument: string, options: InitOptions): Promise<void> {
  const folder = resolve(folderArgument);
  if (!existsSync(folder)) throw new CliError("cli/usage", `There is no folder "${folder}"`);
  const session = await openSession(options);
  const names = namesOf(folder, options, session);
  const written = await writeApplicationFiles(folder, options.test);
  const repository = `${names.owner}/${names.app}`;
  await ensureRepository(session.client, repository);
  await ensureRepository(session.client, `${names.owner}/${names.environments}`);
  const access = await gitAccess(session, options);
  await pushEnvironment(access, names);
  await applyApplication(session.client, await applicationManifest(names));
  await connectFolder(access, folder, repository, options);
  if (options.json === true) printJson({ repository, environments: `${names.owner}/${names.environments}`, written });
  else explain(names, written);
}

function namesOf(folder: string, options: InitOptions, { client }: Session): Names {
  const name =
    options.name ??
    `acme/${basename(folder)
      .toLowerCase()
      .replaceAll(/[^a-z0-9-]/g, "-")}`;
  const [owner, app, ...rest] = name.split("/");
  // The name becomes a Service and a label, so Kubernetes' rule is the stricter one.
  const valid =
    /^[a-z]([a-z0-9-]{0,51}[a-z0-9])?$/.test(app ?? "") && /^[\w.-]+$/.test(owner ?? "") && rest.length === 0;
  if (!valid || owner === undefined || app === undefined) {
    throw new CliError(
      "cli/usage",
      `--name takes owner/repo, the repo of lower-case letters, digits and "-": "${name}" is not that`,
    );
  }
  return {
    owner,
    app,
    environments: options.environments,
    registry: client.url.replace(/^https?:\/\//, ""),
    controlUrl: client.url,
  };
}

/** Only what is missing; nothing of the application's own is changed. */
async function writeApplicationFiles(folder: string, test: string | undefined): Promise<string[]> {
  const written: string[] = [];
  const put = async (path: string, text: string): Promise<void> => {
    if (existsSync(join(folder, path))) return;
    await writeFileAtomic(join(folder, path), text);
    written.push(path);
  };
  const packageJson = await readFileIfExists(join(folder, "package.json"));
  const scripts =
    packageJson === undefined ? {} : ((JSON.parse(packageJson) as { scripts?: Record<string, string> }).scripts ?? {});
  if (!existsSync(join(folder, ".github", "workflows"))) {
    const checks =
      test === undefined ? (scripts["test"] === undefined ? ["echo 'no tests yet'"] : ["npm test"]) : [test];
    await put(".github/workflows/deliver.yml", await workflowFile(checks));
  }
  if (packageJson !== undefined) await put("Dockerfile", nodeDockerfile(scripts["start"]));
  else if (!existsSync(join(folder, "Dockerfile"))) {
    const message = `There is no Dockerfile in "${folder}" and no package.json to write one from: add a Dockerfile and run this again`;
    throw new CliError("cli/failed", message);
  }
  return written;
}

function nodeDockerfile(start: string | undefined): string {
  const words = /^node [\w./ -]+$/.test(start ?? "") ? (start ?? "").split(/\s+/) : ["npm", "start"];
  return [
    "# Node.js is looked up on the machine that runs this; use a base image that has it to carry it along.",
    "FROM scratch",
    "WORKDIR /app",
    "COPY . ./",
    "EXPOSE 8080",
    `CMD ${JSON.stringify(words)}`,
    "",
  ].join("\n");
}

async function gitAccess(session: Session, options: InitOptions): Promise<GitAccess> {
  const token = (await readFileIfExists(homeOf(homeFolder(options.home)).adminToken))?.trim() ?? "";
  return { url: session.client.url, token, searchPath: readConfig().hostPath, signal: session.signal };
}

/** Adds the application's folder to the environments repository, unless it is there. */
async function pushEnvironment(access: GitAccess, names: Names): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-init-"));
  try {
    await git(access, folder, ["init", "--quiet"]);
    const repository = `${names.owner}/${names.environments}`;
    const heads = await git(access, folder, ["ls-remote", "--heads", `${access.url}/${repository}`, "main"]);
    if (heads !== "") await git(access, folder, ["pull", "--quiet", `${access.url}/${repository}`, "main"]);
    if (existsSync(join(folder, "apps", names.app))) return;
    await writeFiles(folder, await environmentFiles(names));
    await commitAndPush(access, folder, repository, `Describe production of ${names.app}`);
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
  const home = homeFolder(options.home);
  const helper = `!"${process.execPath}" "${bin}" credential --home "${home}"`;
  await git(access, folder, ["config", `credential.${access.url}.helper`, helper]);
}

function explain(names: Names, written: readonly string[]): void {
  for (const path of written) print(`wrote ${path}`);
  print(`\n${names.owner}/${names.app} is ready for delivery. Next:\n`);
  print("  git add -A && git commit -m 'Deliver with Tidegate'");
  print("  git push tidegate HEAD:main\n");
  print(`Then watch it: tidegate status. Its traffic: http://${names.app}.production.localhost (port of the router).`);
}
