import type { Command } from "commander";
import { readFileIfExists } from "#lib";
import { homeFolder, homeOf, remoteServer } from "#server";
import { command, type GlobalOptions } from "../command.ts";
import { print } from "../output.ts";

/**
 * A git credential helper (git-credential(1)): answers `get` with the token that every other command would use, which is
 * TIDEGATE_TOKEN where TIDEGATE_URL is set, else the admin token of the data folder.
 */
export function credentialCommand(): Command {
  return command("credential", "Answer git's question for a password (a git credential helper)", [
    "git config credential.http://127.0.0.1:7070.helper '!tidegate credential'",
  ])
    .argument("<operation>", "get, store or erase, as git asks")
    .action(credential);
}

async function credential(operation: string, options: GlobalOptions): Promise<void> {
  if (operation !== "get") return;
  const remote = options.home === undefined ? remoteServer() : undefined;
  const token = remote?.token ?? (await readFileIfExists(homeOf(homeFolder(options.home)).adminToken));
  if (token !== undefined) print(`username=tidegate\npassword=${token.trim()}`);
}
