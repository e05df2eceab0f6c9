import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import type { ActionDetail, ActionLockDraft, ActionUse, KeptActionView } from "#api";
import { formatProblems, readFileIfExists, writeFileAtomic } from "#lib";
import { actionFiles } from "../action-files.ts";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { CliError } from "../errors.ts";
import { print, printJson, table } from "../output.ts";

export function actionsCommand(): Command {
  const actions = command("actions", "See where actions come from, pin them, get them for work without a network", [
    "tidegate actions list acme/shop",
    "tidegate actions lock acme/shop",
    "tidegate actions fetch actions/setup-node@v4",
    "tidegate actions show actions/checkout@v4",
  ]);
  actions.addCommand(
    command("list", "List what a repository's workflows use and where it comes from, or what is kept of other hosts", [
      "tidegate actions list acme/shop",
      "tidegate actions list",
    ])
      .argument("[owner/repo]")
      .action(list),
  );
  actions.addCommand(
    command("lock", "Write .tidegate/actions.lock of a working tree: which commit each action stands for", [
      "tidegate actions lock acme/shop",
      'tidegate actions lock acme/shop --update "actions/*"',
      "tidegate actions lock acme/shop --check",
    ])
      .argument("<owner/repo>", "the repository here that the working tree is of")
      .option("--dir <folder>", "the working tree (default: this folder)")
      .option("--update <pattern>", "what may move to another commit; may be given several times", collect, [])
      .option("--check", "write nothing; exit with 1 when the lock is not what it would be")
      .action(lock),
  );
  actions.addCommand(
    command("fetch", "Ask other hosts anew and keep what they give, so that jobs need no network", [
      "tidegate actions fetch actions/setup-node@v4 docker/login-action@v3",
      "tidegate actions fetch --repository acme/shop",
    ])
      .argument("[uses...]", "owner/repo@ref")
      .option("--repository <owner/repo>", "everything its workflows use; with names, by its rules")
      .action(fetchActions),
  );
  actions.addCommand(
    command("show", "Show where an action comes from, its commit, the digest of its files and its manifest", [
      "tidegate actions show actions/checkout@v4 --repository acme/shop",
    ])
      .argument("<uses>", "owner/repo@ref")
      .option("--repository <owner/repo>", "by its rules")
      .action(show),
  );
  return actions;
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function pathOf(repository: string): string {
  const parts = repository.split("/");
  if (parts.length === 2 && !parts.includes("")) return `/repositories/${parts.map(encodeURIComponent).join("/")}`;
  throw new CliError("cli/usage", `"${repository}" is no repository: write owner/repo`);
}

async function list(repository: string | undefined, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  if (repository === undefined) {
    const { items } = await client.api<{ items: KeptActionView[] }>("/actions");
    if (options.json === true) return printJson(items);
    const rows = items.flatMap(({ url, refs }) =>
      refs.map(({ ref, kind, sha, learntAt }) => [url, ref, kind, sha, learntAt]),
    );
    return print(
      rows.length === 0 ? "Nothing of other hosts is kept." : table(["from", "ref", "", "commit", "asked"], rows),
    );
  }
  const { items } = await client.api<{ items: ActionUse[] }>(`${pathOf(repository)}/actions`);
  if (options.json === true) printJson(items);
  else printUses(items, `The workflows of ${repository} use no actions of others.`);
}

function printUses(items: readonly ActionUse[], none: string): void {
  if (items.length === 0) return print(none);
  const rows = items.map((one) => [one.uses, placeOf(one), one.sha ?? "", one.lockedAt ?? ""]);
  print(table(["uses", "from", "commit", "locked by"], rows));
  for (const { problem, at } of items) {
    if (problem !== undefined) print(at === undefined ? problem : `${at.file}:${at.line}:${at.column}: ${problem}`);
  }
}

function placeOf({ source, host, repository, problem }: ActionUse): string {
  if (problem !== undefined) return "nowhere";
  if (source === "built-in") return "built in";
  return source === "local" ? `${repository} here` : `${host}/${repository}`;
}

interface LockOptions extends GlobalOptions {
  readonly dir?: string;
  readonly update: readonly string[];
  readonly check?: boolean;
}

async function lock(repository: string, options: LockOptions): Promise<void> {
  const folder = options.dir ?? ".";
  const path = join(folder, ".tidegate", "actions.lock");
  const before = await readFileIfExists(path);
  const policy = await readFileIfExists(join(folder, ".tidegate", "actions.yml"));
  const names = await actionFiles(folder);
  const files = await Promise.all(
    names.map(async (name) => ({ path: name, text: await readFile(join(folder, name), "utf8") })),
  );
  if (files.length === 0) {
    throw new CliError(
      "cli/usage",
      `Nothing to lock in "${folder}": it has no workflows. Name the working tree with --dir`,
    );
  }
  const { client } = await openSession(options);
  const { update } = options;
  const draft = await client.api<ActionLockDraft>(`${pathOf(repository)}/actions/lock`, {
    method: "POST",
    body: {
      files,
      update,
      ...(policy === undefined ? {} : { policy }),
      ...(before === undefined ? {} : { lock: before }),
    },
  });
  if (draft.problems.length > 0) {
    throw new CliError("cli/usage", `Cannot lock the actions of "${repository}":\n${formatProblems(draft.problems)}`);
  }
  const differs = draft.text !== before;
  if (differs && options.check !== true) await writeFileAtomic(path, draft.text);
  if (options.json === true) printJson({ ...draft, path, written: differs && options.check !== true });
  else printLock(draft, path, differs, options.check === true);
  if (differs && options.check === true) process.exitCode = 1;
}

function printLock(
  { changes, entries, builtIn }: ActionLockDraft,
  path: string,
  differs: boolean,
  check: boolean,
): void {
  for (const { key, before, after } of changes) {
    if (before === undefined) print(`+ ${key} is ${after}`);
    else if (after === undefined) print(`- ${key} was ${before}`);
    else print(`~ ${key} was ${before}, is ${after}`);
  }
  for (const uses of builtIn) print(`  ${uses} is built in: nothing to lock`);
  const count = `${entries.length} ${entries.length === 1 ? "entry" : "entries"}`;
  if (!differs) print(`${path} is as it should be: ${count}.`);
  else
    print(
      check
        ? `${path} is not as it should be. Lock without --check, and commit it.`
        : `${path} has ${count}. Commit it.`,
    );
}

async function fetchActions(
  uses: readonly string[],
  options: GlobalOptions & { readonly repository?: string },
): Promise<void> {
  const { repository } = options;
  if (uses.length === 0 && repository === undefined) {
    throw new CliError(
      "cli/usage",
      "Name actions, as owner/repo@ref, or a repository whose actions to get, by --repository",
    );
  }
  const { client } = await openSession(options);
  const body = { uses, ...(repository === undefined ? {} : { repository }) };
  const { items } = await client.api<{ items: ActionDetail[] }>("/actions/fetch", { method: "POST", body });
  if (options.json === true) printJson(items);
  else printUses(items, `The workflows of ${repository ?? ""} use no actions of others.`);
  if (items.some(({ problem }) => problem !== undefined)) process.exitCode = 1;
}

async function show(uses: string, options: GlobalOptions & { readonly repository?: string }): Promise<void> {
  const { client } = await openSession(options);
  const query = new URLSearchParams({ uses, repository: options.repository ?? "" });
  const found = await client.api<ActionDetail>(`/actions/show?${query.toString()}`);
  if (options.json === true) printJson(found);
  else {
    if (found.problem !== undefined) throw new CliError("cli/usage", found.problem);
    const rows = [
      ["from", placeOf(found)],
      ["ref", found.ref],
      ["commit", found.sha],
      ["digest", found.digest],
      ["locked by", found.lockedAt],
    ];
    for (const [name = "", value] of rows) if (value !== undefined) print(`${name.padEnd(10)} ${value}`);
    if (found.file !== undefined) print(`\n${found.file.path}:\n${found.file.text.trimEnd()}`);
  }
}
