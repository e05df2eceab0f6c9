/** Small git work of commands, with the token reaching git through its environment only. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CommandError, commandOutput, runCommand } from "#lib";
import { CliError } from "../errors.ts";
import type { Files } from "./templates.ts";

export interface GitAccess {
  readonly url: string;
  readonly token: string;
  /** Whether the token is that of a data folder on this machine; else it came from TIDEGATE_TOKEN. */
  readonly fromHome: boolean;
  readonly searchPath: string;
  readonly signal: AbortSignal;
}

const author = { name: "Tidegate", email: "tidegate@localhost" };

/** @throws CliError with what git said */
export async function git(access: GitAccess, folder: string, args: readonly string[], as = author): Promise<string> {
  const basic = Buffer.from(`tidegate:${access.token}`).toString("base64");
  const env = {
    PATH: access.searchPath,
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: `http.${access.url}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
    GIT_CONFIG_KEY_1: "init.defaultBranch",
    GIT_CONFIG_VALUE_1: "main",
    GIT_AUTHOR_NAME: as.name,
    GIT_AUTHOR_EMAIL: as.email,
    GIT_COMMITTER_NAME: as.name,
    GIT_COMMITTER_EMAIL: as.email,
  };
  try {
    return (await commandOutput("git", args, { cwd: folder, env, signal: access.signal })).toString("utf8").trim();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CliError("cli/failed", error.message, { cause: error });
  }
}

/** The root of the git repository that `folder` lies in, if it lies in one. */
export async function enclosingRepository(access: GitAccess, folder: string): Promise<string | undefined> {
  const env = { PATH: access.searchPath, HOME: folder, GIT_CONFIG_NOSYSTEM: "1" };
  const args = ["rev-parse", "--show-toplevel"];
  const { exitCode, stdout } = await runCommand("git", args, { cwd: folder, env, signal: access.signal });
  return exitCode === 0 ? stdout.toString("utf8").trim() : undefined;
}

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Commits everything in the folder and pushes it to `repository`; the commit's id. */
export async function commitAndPush(
  access: GitAccess,
  folder: string,
  repository: string,
  message: string,
  as?: typeof author,
): Promise<string> {
  await git(access, folder, ["add", "--all"]);
  await git(access, folder, ["commit", "--quiet", "--message", message], as);
  await git(access, folder, ["push", "--quiet", `${access.url}/${repository}`, "HEAD:refs/heads/main"]);
  return await git(access, folder, ["rev-parse", "HEAD"]);
}
