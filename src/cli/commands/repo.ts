import type { Command } from "commander";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { print, printJson, table } from "../output.ts";
import { fetchNow, mirrorCommand } from "./mirror.ts";

interface RepositoryView {
  readonly name: string;
  readonly defaultBranch: string;
  readonly description: string;
  readonly createdAt: string;
}

interface ProtectOptions extends GlobalOptions {
  readonly branch: string;
  readonly allowForcePush?: boolean;
  readonly allowDeletions?: boolean;
  readonly requirePullRequest?: boolean;
  readonly requireCheck: readonly string[];
}

export function repoCommand(): Command {
  const repo = command("repo", "Create, list, protect and delete git repositories", [
    "tidegate repo create acme/shop",
    "tidegate repo list",
    "tidegate repo protect acme/shop --branch main",
    "tidegate repo delete acme/shop",
  ]);
  repo.addCommand(
    command("create", "Create an empty repository", ["tidegate repo create acme/shop --default-branch main"])
      .argument("<owner/repo>")
      .option("--default-branch <branch>", "branch that deliveries start from", "main")
      .option("--description <text>", "one line about it")
      .action(create),
  );
  repo.addCommand(command("list", "List repositories", ["tidegate repo list --json"]).action(list));
  repo.addCommand(
    command("protect", "Refuse rewriting and deleting of branches", [
      "tidegate repo protect acme/shop --branch 'release/*'",
    ])
      .argument("<owner/repo>")
      .requiredOption("--branch <glob>", "branches the rule is for")
      .option("--allow-force-push", "let pushes rewrite the branch")
      .option("--allow-deletions", "let pushes delete the branch")
      .option("--require-pull-request", "refuse every direct push")
      .option(
        "--require-check <name>",
        "a check that must pass before a merge; may be given several times",
        collect,
        [],
      )
      .action(protect),
  );
  repo.addCommand(
    command("fork", "Make a repository of one's own out of another one", ["tidegate repo fork acme/shop ada/shop"])
      .argument("<owner/repo>")
      .argument("<fork>", "owner/repo of the new one")
      .action(fork),
  );
  repo.addCommand(mirrorCommand());
  repo.addCommand(
    command("fetch", "Bring a mirror up to date now", ["tidegate repo fetch acme/shop"])
      .argument("<owner/repo>")
      .action(fetchNow),
  );
  repo.addCommand(
    command("delete", "Delete a repository with its history", ["tidegate repo delete acme/shop"])
      .argument("<owner/repo>")
      .action(remove),
  );
  return repo;
}

async function create(
  name: string,
  options: GlobalOptions & { readonly defaultBranch: string; readonly description?: string },
): Promise<void> {
  const { client } = await openSession(options);
  const { defaultBranch, description } = options;
  const body = { name, defaultBranch, ...(description === undefined ? {} : { description }) };
  const made = await client.api<RepositoryView>("/repositories", { method: "POST", body });
  if (options.json === true) printJson(made);
  else print(`${client.url}/${made.name}`);
}

async function list(options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: RepositoryView[] }>("/repositories");
  if (options.json === true) printJson(items);
  else
    print(
      table(
        ["name", "branch", "created", "description"],
        items.map((item) => [item.name, item.defaultBranch, item.createdAt, item.description]),
      ),
    );
}

async function protect(name: string, options: ProtectOptions): Promise<void> {
  const { client } = await openSession(options);
  const body = {
    branch: options.branch,
    allowForcePush: options.allowForcePush === true,
    allowDeletions: options.allowDeletions === true,
    requirePullRequest: options.requirePullRequest === true,
    requiredChecks: options.requireCheck,
  };
  await client.api(`/repositories/${name}/protections`, { method: "PUT", body });
  if (options.json === true) printJson(body);
  else print(`Branch ${options.branch} of ${name} is protected.`);
}

async function fork(name: string, as: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const path = `/repositories/${name}/forks`;
  const made = await client.api<RepositoryView>(path, { method: "POST", body: { name: as } });
  if (options.json === true) printJson(made);
  else print(`${client.url}/${made.name}`);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

async function remove(name: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  await client.api(`/repositories/${name}`, { method: "DELETE" });
  if (options.json === true) printJson({ name, deleted: true });
  else print(`${name} is deleted.`);
}
