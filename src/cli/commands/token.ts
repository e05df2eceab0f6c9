import type { Command } from "commander";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { CliError } from "../errors.ts";
import { print, printJson, table } from "../output.ts";

interface TokenView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly user?: { readonly name: string; readonly groups: readonly string[] };
  readonly createdAt: string;
  readonly expiresAt?: string;
}

export function tokenCommand(): Command {
  const token = command("token", "Make, list and revoke access tokens", [
    "tidegate token create ci --scope git:write:acme/shop --scope registry:write:acme/shop --days 90",
    "tidegate token list",
    "tidegate token login   # a link that opens the console",
  ]);
  token.addCommand(
    command("create", "Make a token; it is shown once", [
      "tidegate token create dashboard --scope metrics:read",
      "tidegate token create laptop --user ada --group developers",
    ])
      .argument("<name>")
      .option(
        "--scope <scope...>",
        "admin, or <area>:<read|write>[:owner/repo] of git, registry, kube, api, runner, metrics",
      )
      .option("--user <name>", "whom it counts as in the cluster, where roles say what that user may")
      .option("--group <name...>", "groups of the user")
      .option("--days <number>", "ends after so many days (default: never)")
      .action(create),
  );
  token.addCommand(command("list", "List tokens", ["tidegate token list --json"]).action(list));
  token.addCommand(
    command("revoke", "End a token at once", ["tidegate token revoke 0b6c…"]).argument("<id>").action(revoke),
  );
  token.addCommand(
    command("login", "Print a link that opens the console, good for ten minutes", ["tidegate token login"]).action(
      login,
    ),
  );
  return token;
}

interface CreateOptions extends GlobalOptions {
  readonly scope?: readonly string[];
  readonly user?: string;
  readonly group?: readonly string[];
  readonly days?: string;
}

async function create(name: string, options: CreateOptions): Promise<void> {
  if (options.scope === undefined && options.user === undefined) {
    throw new CliError(
      "cli/usage",
      "A token needs --scope, or --user for what the roles of the cluster allow that user",
    );
  }
  if (options.group !== undefined && options.user === undefined) {
    throw new CliError("cli/usage", "--group goes with --user");
  }
  if (options.days !== undefined && !/^\d+$/.test(options.days)) {
    throw new CliError("cli/usage", `--days takes a whole number: "${options.days}" is not one`);
  }
  const { client } = await openSession(options);
  const lifetime = options.days === undefined ? {} : { lifetimeSeconds: Number(options.days) * 86_400 };
  const user = options.user === undefined ? {} : { user: options.user, groups: options.group ?? [] };
  const body = { name, scopes: options.scope ?? [], ...user, ...lifetime };
  const made = await client.api<TokenView & { secret: string }>("/tokens", { method: "POST", body });
  if (options.json === true) printJson(made);
  else print(made.secret);
}

async function list(options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: TokenView[] }>("/tokens");
  if (options.json === true) printJson(items);
  else
    print(
      table(
        ["id", "name", "scopes", "user", "created", "expires"],
        items.map((item) => [
          item.id,
          item.name,
          item.scopes.join(" ") || "-",
          item.user === undefined ? "-" : [item.user.name, ...item.user.groups].join(" "),
          item.createdAt,
          item.expiresAt ?? "never",
        ]),
      ),
    );
}

async function revoke(id: string, options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  await client.api(`/tokens/${encodeURIComponent(id)}`, { method: "DELETE" });
  if (options.json === true) printJson({ id, revoked: true });
  else print(`Token ${id} is revoked.`);
}

async function login(options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const { url } = await client.api<{ url: string }>("/login-codes", { method: "POST", body: {} });
  if (options.json === true) printJson({ url });
  else print(url);
}
