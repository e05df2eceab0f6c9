/** A key for git over SSH, and the hosts that are known, in files of the job. */
import { rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { findProgram, readFileIfExists } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";

export interface SshAccess {
  readonly user: string;
  /** As `core.sshCommand` takes it. It names the files by RUNNER_TEMP, which is another folder in the job's container. */
  readonly command: string;
  readonly files: readonly string[];
}

/** Who asks for GitHub's repositories need not say what its key is. */
const knownToAll =
  "github.com ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQCj7ndNxQowgcQnjshcLrqPEiiphnt+VTTvDP6mHBL9j1aNUkY4Ue1gvwnGLVlOhGeYrnZaMgRK6+PKCUXaDbC7qtbW8gIkhL7aGCsOr/C56SJMy/BCZfxd1nWzAOxSDPgVsmerOBYfNqltV9/hWCqBywINIR+5dIg6JTJ72pcEpEjcYgXkE2YEFXV1JHnsKgbLWNlhScqb2UmyRkQyytRLtL+38TGxkxCflmO+5Z8CSSNY7GidjMIZ7Q4zMjA2n1nGrlTDkzwDCsw+wqFPGQA179cnfGWOWRVruj16z6XyvxvjJwbz0wQZ75XK5tKSb7FNyeIEs4TT4jk+S4dhPeAUC5y+bDYirYgM4GC7uEnztnZyaVWQ7B381AK4Qdrwt51ZqExKbQpTUNn+EjqoTwvqNj4kqx5QUCI0ThS/YkOxJCXmPUWZbhjpCg56i+2aB6CmK2JGhn57K5mj0MNdBXA4/WnwH6XoPWJzK5Nyu2zB3nAZp+S5hpQs+p1vN1/wsjk=";

/** By the inputs of the step; undefined when they name no key. The caller removes the files. */
export async function sshAccess(call: ActionCall): Promise<SshAccess | undefined> {
  const key = call.text("ssh-key");
  if (key === "") return undefined;
  const { folders, ids } = call.parts;
  const program = findProgram("ssh", call.step.scope.job.searchPath(), folders.workspace);
  if (program === undefined) {
    throw new StepFailure('Input "ssh-key" needs the program ssh, which is not on the PATH: install openssh-client');
  }
  const keyFile = join(folders.temp, ids.uuid());
  const hostsFile = `${keyFile}_known_hosts`;
  const own = await readFileIfExists(join(call.env("HOME"), ".ssh", "known_hosts"));
  const hosts = [own?.trimEnd() ?? "", call.text("ssh-known-hosts"), knownToAll].filter((part) => part !== "");
  await writeFile(keyFile, `${key}\n`, { mode: 0o600 });
  await writeFile(hostsFile, `${hosts.join("\n")}\n`);
  // Of a key nobody vouches for, ssh would ask at a terminal that is not there.
  const strict = call.isTrue("ssh-strict", true) ? " -o StrictHostKeyChecking=yes -o CheckHostIP=no" : "";
  const named = (file: string): string => `$RUNNER_TEMP/${basename(file)}`;
  return {
    user: call.text("ssh-user") || "git",
    command: `"${program}" -i "${named(keyFile)}"${strict} -o "UserKnownHostsFile=${named(hostsFile)}"`,
    files: [keyFile, hostsFile],
  };
}

export async function removeSshFiles(files: readonly string[]): Promise<void> {
  for (const file of files) await rm(file, { force: true });
}
