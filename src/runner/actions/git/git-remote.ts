/** Where a repository is fetched from, and with what. */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ActionCall } from "../builtin-action.ts";
import type { SshAccess } from "./ssh-access.ts";

export interface GitRemote {
  /** `owner/repository`, for people. */
  readonly repository: string;
  readonly url: string;
  /** A file of configuration with the token, which the caller removes. */
  readonly credentials: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Git must ask nobody. */
export const gitEnvironment: Readonly<Record<string, string>> = {
  GIT_TERMINAL_PROMPT: "0",
  GCM_INTERACTIVE: "Never",
  // So that what it says can be read.
  LC_ALL: "C",
};

interface Access {
  /** Another server than the job's own, as `https://github.com`. */
  readonly server?: string;
  readonly token: string;
  readonly ssh?: SshAccess;
}

export async function gitRemote(call: ActionCall, repository: string, access: Access): Promise<GitRemote> {
  const { server = ownServer(call), ssh } = access;
  return {
    repository,
    url: ssh === undefined ? `${server}/${repository}` : `${ssh.user}@${new URL(server).hostname}:${repository}.git`,
    credentials: await writeCredentials(call, server, access),
    env: ssh === undefined ? gitEnvironment : { ...gitEnvironment, GIT_SSH_COMMAND: ssh.command },
  };
}

function ownServer(call: ActionCall): string {
  return call.parts.assignment.services.serverUrl.replace(/\/+$/, "");
}

const origin = (url: string): string => `${new URL(url).origin}/`;

async function writeCredentials(call: ActionCall, server: string, { token, ssh }: Access): Promise<string> {
  const { assignment, folders, ids } = call.parts;
  const own = origin(ownServer(call));
  const inner = origin(assignment.services.internalServerUrl);
  const other = origin(server) !== own;
  const reached = other ? origin(server) : inner;
  const basic = Buffer.from(`x-access-token:${token}`).toString("base64");
  call.parts.masker.add(basic);
  const lines: string[] = [];
  // The public name may not resolve here (*.localhost), so git is sent to the address behind it.
  if (own !== inner) lines.push(`[url "${inner}"]`, `\tinsteadOf = ${own}`);
  // Submodules may be written down for those who have a key.
  if (ssh === undefined) lines.push(`[url "${reached}"]`, `\tinsteadOf = git@${new URL(server).hostname}:`);
  if (token !== "") {
    for (const url of new Set(other ? [reached] : [own, inner])) {
      lines.push(`[http "${url}"]`, `\textraheader = AUTHORIZATION: basic ${basic}`);
    }
  }
  const path = join(folders.temp, `git-credentials-${ids.uuid()}.config`);
  await writeFile(path, `${lines.join("\n")}\n`, { mode: 0o600 });
  await chmod(path, 0o600);
  return path;
}
