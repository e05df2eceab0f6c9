import type { Command } from "commander";
import type { SecretView, VariableView } from "#api";
import { command, openSession } from "../command.ts";
import { scopeName, type ScopeOptions, scopePath, withScopeOptions } from "../entry-scope.ts";
import { print, printJson, table } from "../output.ts";

export function variableCommand(): Command {
  const variable = command("variable", "Keep variables for workflows: set, list, delete", [
    "tidegate variable set REGION eu-1 --repository acme/shop",
    "tidegate variable list --repository acme/shop",
  ]);
  variable.addCommand(
    withScopeOptions(
      command("set", "Set a variable, which everybody who sees the runs may read", [
        "tidegate variable set REGION eu-1 --repository acme/shop --environment production",
      ])
        .argument("<name>")
        .argument("<value>"),
    ).action(set),
  );
  variable.addCommand(
    withScopeOptions(
      command("list", "List variables with their values", ["tidegate variable list --owner acme --json"]),
    ).action(list),
  );
  variable.addCommand(
    withScopeOptions(
      command("delete", "Delete a variable", ["tidegate variable delete REGION --repository acme/shop"]).argument(
        "<name>",
      ),
    ).action(remove),
  );
  return variable;
}

async function set(name: string, value: string, options: ScopeOptions): Promise<void> {
  const path = scopePath("variables", options);
  const { client } = await openSession(options);
  const made = await client.api<SecretView>(path, { method: "PUT", body: { name, value } });
  if (options.json === true) printJson({ ...made, value });
  else print(`Variable ${made.name} of ${scopeName(options)} is set.`);
}

async function list(options: ScopeOptions): Promise<void> {
  const path = scopePath("variables", options);
  const { client } = await openSession(options);
  const { items } = await client.api<{ items: VariableView[] }>(path);
  if (options.json === true) printJson(items);
  else
    print(
      table(
        ["name", "updated", "value"],
        items.map((item) => [item.name, item.updatedAt, item.value]),
      ),
    );
}

async function remove(name: string, options: ScopeOptions): Promise<void> {
  const path = scopePath("variables", options, name);
  const { client } = await openSession(options);
  await client.api(path, { method: "DELETE" });
  if (options.json === true) printJson({ name: name.toUpperCase(), deleted: true });
  else print(`Variable ${name.toUpperCase()} of ${scopeName(options)} is deleted.`);
}
