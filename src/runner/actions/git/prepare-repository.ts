/** The folder before a fetch: what is there of the same repository is used again, anything else goes. */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ActionCall } from "../builtin-action.ts";
import type { GitRemote } from "./git-remote.ts";

interface Wanted {
  /** What nobody has committed goes. */
  readonly clean: boolean;
  /** As it was asked for; empty for the default branch. */
  readonly ref: string;
}

export async function prepareRepository(
  call: ActionCall,
  folder: string,
  remote: GitRemote,
  wanted: Wanted,
): Promise<void> {
  const entries = await readdir(folder);
  if (entries.includes(".git") && (await isOf(call, folder, remote))) {
    const again = await new Existing(call, folder, remote).prepare(wanted);
    if (again) return;
    call.warn("Unable to prepare the existing repository. The repository will be recreated instead.");
  }
  for (const name of entries) await rm(join(folder, name), { recursive: true, force: true });
  const options = { cwd: folder, env: remote.env, quiet: true };
  await call.run("git", ["-c", "init.defaultBranch=main", "init", "--quiet"], options);
  await call.run("git", ["remote", "add", "origin", remote.url], options);
  await call.run("git", ["config", "--local", "gc.auto", "0"], options);
}

async function isOf(call: ActionCall, folder: string, { url, env }: GitRemote): Promise<boolean> {
  const ask = ["config", "--local", "--get", "remote.origin.url"];
  return (await call.try("git", ask, { cwd: folder, env, quiet: true })).stdout === url;
}

/** Each step says whether it could be taken. */
class Existing {
  readonly #call: ActionCall;
  readonly #folder: string;
  readonly #remote: GitRemote;

  constructor(call: ActionCall, folder: string, remote: GitRemote) {
    this.#call = call;
    this.#folder = folder;
    this.#remote = remote;
  }

  async prepare({ clean, ref }: Wanted): Promise<boolean> {
    // Of a git that was ended in the middle.
    for (const name of ["index.lock", "shallow.lock"]) await rm(join(this.#folder, ".git", name), { force: true });
    // What authorised an earlier checkout does not authorise this one.
    for (const key of ["include.path", "core.sshCommand"]) await this.#git("config", "--local", "--unset-all", key);
    if (!(await this.#forgetBranches(ref)) || !(await this.#does("submodule", "status"))) return false;
    return !clean || ((await this.#does("clean", "-ffdx")) && (await this.#does("reset", "--quiet", "--hard", "HEAD")));
  }

  /** Branches would be in the way of others: of `a/b`, where `a` is wanted. */
  async #forgetBranches(ref: string): Promise<boolean> {
    const born = await this.#does("rev-parse", "--verify", "--quiet", "HEAD");
    const onBranch = born && (await this.#does("symbolic-ref", "--quiet", "HEAD"));
    if (onBranch && !(await this.#does("checkout", "--quiet", "--detach"))) return false;
    const { exitCode, stdout } = await this.#git(
      "for-each-ref",
      "--format=%(refname)",
      "refs/heads",
      "refs/remotes/origin",
    );
    if (exitCode !== 0) return false;
    const names = stdout.split("\n");
    const own = names.flatMap((name) => (name.startsWith("refs/heads/") ? [name.slice("refs/heads/".length)] : []));
    const theirs = names
      .flatMap((name) => (name.startsWith("refs/remotes/origin/") ? [name.slice("refs/remotes/origin/".length)] : []))
      .filter((name) => inTheWay(name, ref.replace(/^refs\/heads\//, "")))
      .map((name) => `origin/${name}`);
    if (own.length > 0 && !(await this.#does("branch", "--quiet", "--delete", "--force", "--", ...own))) return false;
    return (
      theirs.length === 0 ||
      (await this.#does("branch", "--quiet", "--delete", "--force", "--remotes", "--", ...theirs))
    );
  }

  async #does(...args: readonly string[]): Promise<boolean> {
    return (await this.#git(...args)).exitCode === 0;
  }

  /** With what authorises: of a repository without all its blobs, some may be fetched only now. */
  async #git(...args: readonly string[]): Promise<{ readonly exitCode: number; readonly stdout: string }> {
    const { credentials, env } = this.#remote;
    return await this.#call.try("git", ["-c", `include.path=${credentials}`, ...args], {
      cwd: this.#folder,
      env,
      quiet: true,
    });
  }
}

/** Git keeps branches as files: `a` and `a/b` cannot both be, on some machines neither `A` and `a/b`. */
function inTheWay(there: string, wanted: string): boolean {
  const [one, other] = [there.toLowerCase(), wanted.toLowerCase()];
  return one.startsWith(`${other}/`) || other.startsWith(`${one}/`);
}
