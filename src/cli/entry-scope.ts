/** Which secrets or variables a command is about: the options that say it, and the path of the API. Pure. */
import type { Command } from "commander";
import type { GlobalOptions } from "./command.ts";
import { CliError } from "./errors.ts";

export interface ScopeOptions extends GlobalOptions {
  readonly repository?: string;
  readonly owner?: string;
  readonly environment?: string;
}

export function withScopeOptions(command: Command): Command {
  return command
    .option("--repository <owner/repo>", "for the workflows of one repository")
    .option("--environment <name>", "with --repository: only for jobs of this environment")
    .option("--owner <owner>", "for the workflows of all repositories of an owner");
}

/** @throws CliError when the options do not name exactly one place */
export function scopePath(kind: "secrets" | "variables", options: ScopeOptions, name?: string): string {
  const { repository, owner, environment } = options;
  if ((repository === undefined) === (owner === undefined)) {
    throw new CliError("cli/usage", "Say whose: either --repository <owner/repo> or --owner <owner>");
  }
  if (owner !== undefined && environment !== undefined) {
    throw new CliError("cli/usage", "An environment belongs to a repository: --environment needs --repository");
  }
  const parts = owner === undefined ? (repository ?? "").split("/") : [owner];
  if (parts.length !== (owner === undefined ? 2 : 1) || parts.some((part) => /^\.{0,2}$/.test(part))) {
    const [flag, form] = owner === undefined ? ["--repository", "owner/repo"] : ["--owner", "the name of an owner"];
    throw new CliError("cli/usage", `${flag} takes ${form}: "${owner ?? repository}" is not that`);
  }
  const query = new URLSearchParams();
  if (environment !== undefined) query.set("environment", environment);
  if (name !== undefined) query.set("name", name);
  const asked = query.size === 0 ? "" : `?${query.toString()}`;
  return `/${[kind, ...parts.map(encodeURIComponent)].join("/")}${asked}`;
}

/** As people read it. */
export function scopeName({ repository, owner, environment }: ScopeOptions): string {
  const whose = owner ?? repository ?? "";
  return environment === undefined ? whose : `${whose} (${environment})`;
}
