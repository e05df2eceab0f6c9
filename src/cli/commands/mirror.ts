import type { Command } from "commander";
import type { MirrorView } from "#api";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { CliError } from "../errors.ts";
import { print, printJson } from "../output.ts";
import { readValue } from "../read-value.ts";

interface MirrorOptions extends GlobalOptions {
  readonly kind?: string;
  readonly apiUrl?: string;
  readonly token?: boolean;
  readonly remove?: boolean;
}

/** `tidegate repo mirror`: a part of `repo`. */
export function mirrorCommand(): Command {
  return command("mirror", "Mirror a repository of GitHub, Forgejo or Gitea: its workflows run here", [
    "tidegate repo mirror acme/shop https://github.com/acme/shop < token.txt",
    "tidegate repo mirror acme/shop https://git.example.com/acme/shop --kind forgejo --no-token",
    "tidegate repo mirror acme/shop",
  ])
    .argument("<owner/repo>", "its name here")
    .argument("[url]", "where it is; left out: show what it mirrors")
    .option("--kind <kind>", "github, forgejo or gitea, where the host does not say it")
    .option("--api-url <url>", "its API (default: where such a server has it)")
    .option("--no-token", "read without a token, and tell nothing back; otherwise it is read from standard input")
    .option("--remove", "stop mirroring: what was fetched stays, and may be pushed to")
    .action(mirror);
}

async function mirror(name: string, url: string | undefined, options: MirrorOptions): Promise<void> {
  const { client, signal } = await openSession(options);
  const path = `${pathOf(name)}/mirror`;
  if (options.remove === true) {
    await client.api(path, { method: "DELETE" });
    if (options.json === true) printJson({ repository: name, removed: true });
    else print(`${name} mirrors nothing any more.`);
    return;
  }
  if (url === undefined) {
    const view = await client.api<MirrorView>(path);
    if (options.json === true) printJson(view);
    else print(describe(view));
    return;
  }
  const token = options.token === false ? undefined : await readValue("the token for the remote", signal);
  const { kind, apiUrl } = options;
  const body = { url, kind, apiUrl, token };
  const made = await client.api<MirrorView & { webhookSecret: string }>(path, { method: "PUT", body });
  if (options.json === true) printJson(made);
  else {
    print(describe(made));
    print(`\nAdd a webhook over there (pushes, pull requests, as JSON) with this address and secret, shown once:`);
    print(`  ${made.webhookUrl}\n  ${made.webhookSecret}`);
  }
}

export async function fetchNow(name: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { moved } = await client.api<{ moved: number }>(`${pathOf(name)}/mirror/fetch`, { method: "POST" });
  if (options.json === true) printJson({ repository: name, moved });
  else print(moved === 0 ? `${name} was up to date.` : `${moved} branches and tags of ${name} moved.`);
}

function describe(view: MirrorView): string {
  const lines = [
    `${view.repository} mirrors ${view.url} (${view.kind})`,
    `fetched ${view.fetchedAt ?? "never"}; statuses ${view.hasToken ? `are told, ${view.statusesWaiting} wait` : "are not told: it has no token"}`,
  ];
  return [...lines, ...(view.problem === undefined ? [] : [`last problem: ${view.problem}`])].join("\n");
}

function pathOf(name: string): string {
  const parts = name.split("/");
  if (parts.length !== 2 || parts.includes("")) {
    throw new CliError("cli/usage", `"${name}" is no repository: write owner/repo`);
  }
  return `/repositories/${parts.map(encodeURIComponent).join("/")}`;
}
