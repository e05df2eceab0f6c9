import type { Command } from "commander";
import type { SecretView } from "#api";
import { command, type GlobalOptions, openSession } from "../command.ts";
import { scopeName, type ScopeOptions, scopePath, withScopeOptions } from "../entry-scope.ts";
import { print, printJson, table } from "../output.ts";
import { readValue } from "../read-value.ts";

export function secretCommand(): Command {
  const secret = command("secret", "Keep secrets for workflows: set, list, delete, rotate their key", [
    "tidegate secret set NPM_TOKEN --repository acme/shop   # asks for the value",
    "tidegate secret set DEPLOY_KEY --repository acme/shop --environment production < id_ed25519",
    "tidegate secret list --repository acme/shop",
  ]);
  secret.addCommand(
    withScopeOptions(
      command("set", "Set a secret; its value is read from standard input, or asked for", [
        "tidegate secret set NPM_TOKEN --owner acme",
        "pass show npm | tidegate secret set NPM_TOKEN --repository acme/shop",
      ]).argument("<name>"),
    ).action(set),
  );
  secret.addCommand(
    withScopeOptions(
      command("list", "List names and times; values are shown to jobs only", [
        "tidegate secret list --repository acme/shop --environment production",
      ]),
    ).action(list),
  );
  secret.addCommand(
    withScopeOptions(
      command("delete", "Delete a secret", ["tidegate secret delete NPM_TOKEN --repository acme/shop"]).argument(
        "<name>",
      ),
    ).action(remove),
  );
  secret.addCommand(
    command("rotate-key", "Encrypt all secrets under a new key and forget the former one", [
      "tidegate secret rotate-key",
    ]).action(rotateKey),
  );
  return secret;
}

async function set(name: string, options: ScopeOptions): Promise<void> {
  const path = scopePath("secrets", options);
  const { client, signal } = await openSession(options);
  const value = await readValue(name, signal);
  const made = await client.api<SecretView>(path, { method: "PUT", body: { name, value }, signal });
  if (options.json === true) printJson(made);
  else print(`Secret ${made.name} of ${scopeName(options)} is set.`);
}

async function list(options: ScopeOptions): Promise<void> {
  const path = scopePath("secrets", options);
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: SecretView[] }>(path);
  if (options.json === true) printJson(items);
  else
    print(
      table(
        ["name", "updated"],
        items.map((item) => [item.name, item.updatedAt]),
      ),
    );
}

async function remove(name: string, options: ScopeOptions): Promise<void> {
  const path = scopePath("secrets", options, name);
  const { client } = await openSession(options);
  await client.api(path, { method: "DELETE" });
  if (options.json === true) printJson({ name: name.toUpperCase(), deleted: true });
  else print(`Secret ${name.toUpperCase()} of ${scopeName(options)} is deleted.`);
}

async function rotateKey(options: GlobalOptions): Promise<void> {
  const { client } = await openSession(options);
  const done = await client.api<{ rewrapped: number }>("/system/secrets-key/rotate", { method: "POST", body: {} });
  if (options.json === true) printJson(done);
  else print(`A new key protects the secrets (${done.rewrapped}); the former one is gone.`);
}
