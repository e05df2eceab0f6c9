import type { Command } from "commander";
import type { PullCheck, PullDetail, PullSummary } from "#api";
import { systemClock } from "#lib";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { CliError } from "../errors.ts";
import { ago, print, printJson, status, table } from "../output.ts";

export function prCommand(): Command {
  const pr = command("pr", "Make, look at and merge pull requests", [
    'tidegate pr create acme/shop --head feature --title "Say four"',
    "tidegate pr list acme/shop",
    "tidegate pr checks acme/shop 3",
    "tidegate pr merge acme/shop 3 --squash",
  ]);
  pr.addCommand(
    command("create", "Ask for a branch to be merged", [
      'tidegate pr create acme/shop --head feature --title "Say four"',
      'tidegate pr create acme/shop --head ada:feature --base main --title "From my fork"',
    ])
      .argument("<owner/repo>")
      .requiredOption("--head <branch>", "what to merge: a branch, or owner:branch of a fork")
      .requiredOption("--title <text>", "one line about it")
      .option("--base <branch>", "where it goes (default: the default branch)")
      .option("--body <text>", "more about it")
      .option("--draft", "not to be merged yet")
      .action(create),
  );
  pr.addCommand(
    command("list", "List pull requests", ["tidegate pr list acme/shop --state all"])
      .argument("[owner/repo]", "of this repository only")
      .option("--state <state>", "open, closed or all", "open")
      .action(list),
  );
  pr.addCommand(numbered("view", "Show a pull request with its commits, files and comments").action(view));
  pr.addCommand(numbered("checks", "Show what has been said of it; exit code 1 unless all passed").action(checks));
  pr.addCommand(
    numbered("merge", "Merge a pull request")
      .option("--squash", "all of it as one commit")
      .option("--rebase", "its commits one by one, without a merge commit")
      .option("--sha <commit>", "only if this is its head")
      .action(merge),
  );
  pr.addCommand(numbered("close", "Close a pull request without merging it").action(stateAction("closed")));
  pr.addCommand(numbered("reopen", "Open a closed pull request again").action(stateAction("open")));
  pr.addCommand(
    numbered("ready", "Take a draft for ready; with --undo the other way round")
      .option("--undo", "make it a draft")
      .action(ready),
  );
  pr.addCommand(
    numbered("comment", "Say something about a pull request")
      .requiredOption("--body <text>", "what to say")
      .action(comment),
  );
  return pr;
}

function numbered(name: string, description: string): Command {
  const more = name === "comment" ? ' --body "Looks good"' : name === "merge" ? " --squash" : "";
  return command(name, description, [`tidegate pr ${name} acme/shop 3${more}`])
    .argument("<owner/repo>")
    .argument("<number>");
}

interface CreateOptions extends GlobalOptions {
  readonly head: string;
  readonly title: string;
  readonly base?: string;
  readonly body?: string;
  readonly draft?: boolean;
}

async function create(repository: string, options: CreateOptions): Promise<void> {
  const { client } = await openSession(options);
  const { head, title, base, body, draft = false } = options;
  const request = {
    head,
    title,
    draft,
    ...(base === undefined ? {} : { base }),
    ...(body === undefined ? {} : { body }),
  };
  const made = await client.api<PullDetail>(pathOf(repository), { method: "POST", body: request });
  if (options.json === true) printJson(made);
  else print(`#${made.number} ${client.url}/pulls/${made.repository}/${made.number}`);
}

async function list(
  repository: string | undefined,
  options: GlobalOptions & { readonly state: string },
): Promise<void> {
  if (!["open", "closed", "all"].includes(options.state)) {
    throw new CliError("cli/usage", `"${options.state}" is no state: use open, closed or all`);
  }
  const { client } = await openSession(options);
  const path = repository === undefined ? "/pulls" : pathOf(repository);
  const { items } = await client.api<{ items: PullSummary[] }>(`${path}?state=${options.state}`);
  if (options.json === true) {
    printJson(items);
    return;
  }
  const now = systemClock.now();
  const rows = items.map((pull) => [
    repository === undefined ? `${pull.repository}#${pull.number}` : `#${pull.number}`,
    stateOf(pull),
    pull.title,
    `${pull.fork === undefined ? "" : `${pull.fork}:`}${pull.head} → ${pull.base}`,
    pull.checks === undefined ? "-" : status(pull.checks),
    ago(pull.updatedAt, now),
  ]);
  print(table(["number", "state", "title", "branches", "checks", "changed"], rows));
}

async function view(repository: string, number: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const pull = await client.api<PullDetail>(pathOf(repository, number));
  if (options.json === true) {
    printJson(pull);
    return;
  }
  const from = pull.fork === undefined ? pull.head : `${pull.fork}:${pull.head}`;
  print(`#${pull.number} ${pull.title}\n${stateOf(pull)} · ${from} → ${pull.base} · by ${pull.author}`);
  if (pull.state === "open") print(pull.obstacle ?? "It can be merged.");
  if (pull.body !== "") print(`\n${pull.body}`);
  if (pull.results.length > 0) print(`\n${checkTable(pull.results)}`);
  const commits = pull.commits.map((commit) => [commit.sha.slice(0, 10), commit.author, commit.subject]);
  print(`\n${table(["commit", "author", "subject"], commits)}`);
  const files = pull.files.map((file) => [file.status, `+${file.additions} -${file.deletions}`, file.path]);
  print(`\n${table(["change", "lines", "file"], files)}`);
  for (const { author, at, body } of pull.conversation) print(`\n${author}, ${at}:\n${body}`);
}

async function checks(repository: string, number: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { results } = await client.api<PullDetail>(pathOf(repository, number));
  if (options.json === true) printJson(results);
  else if (results.length === 0) print("Nothing has been said of it yet.");
  else print(checkTable(results));
  if (results.some((one) => one.state !== "success")) process.exitCode = 1;
}

interface MergeOptions extends GlobalOptions {
  readonly squash?: boolean;
  readonly rebase?: boolean;
  readonly sha?: string;
}

async function merge(repository: string, number: string, options: MergeOptions): Promise<void> {
  if (options.squash === true && options.rebase === true) {
    throw new CliError("cli/usage", "Choose one of --squash and --rebase");
  }
  const { client } = await openSession(options);
  const method = options.squash === true ? "squash" : options.rebase === true ? "rebase" : "merge";
  const body = { method, ...(options.sha === undefined ? {} : { sha: options.sha }) };
  const merged = await client.api<PullDetail>(`${pathOf(repository, number)}/merge`, { method: "POST", body });
  if (options.json === true) printJson(merged);
  else print(`#${merged.number} is merged into ${merged.base} as ${merged.mergeCommit?.slice(0, 12) ?? ""}.`);
}

function stateAction(state: "open" | "closed") {
  return async (repository: string, number: string, options: GlobalOptions): Promise<void> => {
    await change(repository, number, { state }, state === "open" ? "is open again" : "is closed", options);
  };
}

async function ready(
  repository: string,
  number: string,
  options: GlobalOptions & { readonly undo?: boolean },
): Promise<void> {
  const draft = options.undo === true;
  await change(repository, number, { draft }, draft ? "is a draft" : "is ready for review", options);
}

async function change(
  repository: string,
  number: string,
  body: object,
  words: string,
  options: GlobalOptions,
): Promise<void> {
  const { client } = await openSession(options);
  const pull = await client.api<PullDetail>(pathOf(repository, number), { method: "PATCH", body });
  if (options.json === true) printJson(pull);
  else print(`#${pull.number} ${words}.`);
}

async function comment(
  repository: string,
  number: string,
  options: GlobalOptions & { readonly body: string },
): Promise<void> {
  const { client } = await openSession(options);
  const { body } = options;
  await client.api(`${pathOf(repository, number)}/comments`, { method: "POST", body: { body } });
  if (options.json === true) printJson({ repository, number: Number(number), body });
  else print(`Said on #${number}.`);
}

function checkTable(results: readonly PullCheck[]): string {
  const rows = results.map((one) => [one.name, status(one.state), one.required ? "required" : "", one.description]);
  return table(["check", "state", "", "said"], rows);
}

function stateOf({ state, draft }: PullSummary): string {
  return state === "open" && draft ? "draft" : state;
}

function pathOf(repository: string, number?: string): string {
  const parts = repository.split("/");
  if (parts.length !== 2 || parts.includes("")) {
    throw new CliError("cli/usage", `"${repository}" is no repository: write owner/repo`);
  }
  const path = `/repositories/${parts.map(encodeURIComponent).join("/")}/pulls`;
  if (number === undefined) return path;
  const digits = number.replace(/^#/, "");
  if (!/^[1-9]\d*$/.test(digits)) throw new CliError("cli/usage", `"${number}" is no number of a pull request`);
  return `${path}/${digits}`;
}
