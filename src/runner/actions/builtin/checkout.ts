/** `actions/checkout` v2 to v7: real git over smart HTTP or SSH, what authorises it never on a command line. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { findProgram, isObject, joinInside } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { fetchAndCheckout, findRef, isCommit, wantOf, type GitSource, type GitWant } from "../git-fetch.ts";
import { gitEnvironment, gitRemote, type GitRemote } from "../git/git-remote.ts";
import { prepareRepository } from "../git/prepare-repository.ts";
import { removeSshFiles, sshAccess } from "../git/ssh-access.ts";
import { isUnsafeCheckout, trimRef } from "../git/unsafe-checkout.ts";

export const checkout: BuiltinAction = {
  name: "actions/checkout",
  inputs: {
    repository: "",
    ref: "",
    token: "",
    "ssh-key": "",
    "ssh-known-hosts": "",
    "ssh-strict": "true",
    "ssh-user": "git",
    "persist-credentials": "true",
    path: "",
    clean: "true",
    filter: "",
    "sparse-checkout": "",
    "sparse-checkout-cone-mode": "true",
    "fetch-depth": "1",
    "fetch-tags": "false",
    "show-progress": "true",
    lfs: "false",
    submodules: "false",
    "set-safe-directory": "true",
    "github-server-url": "",
    "allow-unsafe-pr-checkout": "false",
  },
  versions: {
    "ssh-user": { since: 4 },
    filter: { since: 4 },
    "show-progress": { since: 4 },
    "sparse-checkout": { since: 3 },
    "sparse-checkout-cone-mode": { since: 3 },
    "fetch-tags": { since: 3 },
    "github-server-url": { since: 3 },
  },
  sensitive: ["token", "ssh-key"],
  main: checkOut,
  post: forgetCredentials,
};

async function checkOut(call: ActionCall): Promise<void> {
  const { assignment, folders } = call.parts;
  const repository = call.text("repository") || assignment.repository;
  if (folders.bound) return keepWorkingTree(call, repository);
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
    throw new StepFailure(`Invalid repository "${repository}": expected format {owner}/{repo}`);
  }
  const folder = joinInside(folders.workspace, call.text("path"));
  if (folder === undefined) {
    throw new StepFailure(`Repository path "${call.text("path")}" is not under the workspace: choose a relative path`);
  }
  refuseUnsafe(call, repository);
  if (call.gave("token")) call.required("token");
  if (call.isTrue("lfs")) requireLfs(call);
  const remote = await remoteOf(call, repository, folder);
  await mkdir(folder, { recursive: true });
  const ref = refOf(call) || (isOwn(call, remote) ? assignment.ref : "");
  await prepareRepository(call, folder, remote, { clean: call.isTrue("clean", true), ref });
  if (call.isTrue("lfs")) await call.run("git", ["lfs", "install", "--local"], { cwd: folder, quiet: true });
  const want = await wanted(call, folder, remote);
  call.log(`Fetching ${repository} ${describe(want)}`);
  const source = { want, depth: depthOf(call), tags: call.isTrue("fetch-tags"), ...filesOf(call) };
  const commit = await fetchAndCheckout(call, folder, source, remote);
  await checkOutSubmodules(call, folder, source.depth, remote);
  await keepOrForget(call, folder, remote);
  call.setOutput("commit", commit);
  // Of a commit there is none.
  call.setOutput("ref", isCommit(ref) ? "" : ref || (want.kind === "branch" ? `refs/heads/${want.name}` : ""));
  call.log(`HEAD is now at ${commit}`);
}

/** What the last stage takes away is remembered before there is any of it. */
async function remoteOf(call: ActionCall, repository: string, folder: string): Promise<GitRemote> {
  const server = serverOf(call);
  const given = call.text("token");
  // The job's own token is nobody else's business.
  const token = given || (server === undefined ? (call.parts.assignment.secrets["GITHUB_TOKEN"] ?? "") : "");
  const ssh = await sshAccess(call);
  call.saveState("ssh", JSON.stringify(ssh?.files ?? []));
  const remote = await gitRemote(call, repository, {
    token,
    ...(server === undefined ? {} : { server }),
    ...(ssh === undefined ? {} : { ssh }),
  });
  call.saveState("credentials", remote.credentials);
  call.saveState("folder", folder);
  return remote;
}

/** Undefined for the job's own. */
function serverOf(call: ActionCall): string | undefined {
  const given = call.text("github-server-url");
  if (given === "") return undefined;
  const url = URL.parse(given);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new StepFailure(`Input "github-server-url" must be the address of a server: it is "${given}"`);
  }
  const { serverUrl, internalServerUrl } = call.parts.assignment.services;
  const own = [serverUrl, internalServerUrl].some((one) => new URL(one).origin === url.origin);
  return own ? undefined : url.origin;
}

function depthOf(call: ActionCall): number {
  const depth = Math.floor(Number(call.text("fetch-depth") || "1"));
  // What is no number means everything, as with the official action.
  return depth > 0 ? depth : 0;
}

function refuseUnsafe(call: ActionCall, repository: string): void {
  const ref = refOf(call);
  const own = repository.toLowerCase() === call.parts.assignment.repository.toLowerCase();
  if ((own && ref === "") || call.isTrue("allow-unsafe-pr-checkout")) return;
  const { github } = call.parts.assignment.contexts;
  const event = call.github("event_name");
  if (!isUnsafeCheckout(event, isObject(github["event"]) ? github["event"] : {}, { repository, ref })) return;
  throw new StepFailure(
    `Refusing to check out the code of a fork's pull request in a workflow of ${event}: it would run with this repository's token and secrets. Use pull_request, or read what may happen and set allow-unsafe-pr-checkout to true`,
  );
}

function requireLfs(call: ActionCall): void {
  if (findProgram("git-lfs", call.step.scope.job.searchPath(), call.parts.folders.workspace) !== undefined) return;
  throw new StepFailure('Input "lfs" needs the program git-lfs, which is not on the PATH: install it');
}

/** The workspace is somebody's working tree: what is in it is what they want to run, and nothing of it may go. */
function keepWorkingTree(call: ActionCall, repository: string): void {
  const { assignment } = call.parts;
  if (repository.toLowerCase() !== assignment.repository.toLowerCase() || call.text("path") !== "") {
    throw new StepFailure(
      `Cannot check out "${repository}" into a working tree that is bound: run without --bind, so that jobs get a copy`,
    );
  }
  call.setOutput("commit", assignment.sha);
  call.setOutput("ref", assignment.ref);
  call.log("The working tree is bound: it is used as it is");
}

/** Which files are fetched and written down; those that are not written need not be fetched, either. */
function filesOf(call: ActionCall): Pick<GitSource, "filter" | "sparse" | "large"> {
  const patterns = call.list("sparse-checkout");
  const large = call.isTrue("lfs");
  const filter = call.text("filter") || (patterns.length > 0 ? "blob:none" : "");
  return {
    large,
    ...(filter === "" ? {} : { filter }),
    ...(patterns.length === 0 ? {} : { sparse: { cone: call.isTrue("sparse-checkout-cone-mode", true), patterns } }),
  };
}

async function checkOutSubmodules(call: ActionCall, folder: string, depth: number, remote: GitRemote): Promise<void> {
  const { credentials, env } = remote;
  const wanted = call.text("submodules").toLowerCase();
  if (wanted !== "true" && wanted !== "recursive") return;
  const recursive = wanted === "recursive" ? ["--recursive"] : [];
  const git = async (...args: string[]): Promise<string> =>
    await call.run("git", args, { cwd: folder, env, quiet: true });
  await git("submodule", "sync", ...recursive);
  const deep = depth === 0 ? [] : [`--depth=${depth}`];
  const update = ["submodule", "update", "--init", "--force", ...deep, ...recursive];
  await git("-c", `include.path=${credentials}`, "-c", "protocol.version=2", ...update);
  await git("submodule", "foreach", ...recursive, "git config --local gc.auto 0");
  if (!call.isTrue("persist-credentials")) return;
  call.saveState("submodules", wanted);
  await git("submodule", "foreach", ...recursive, `git config --local include.path "${credentials}"`);
  const { GIT_SSH_COMMAND: ssh } = env;
  if (ssh === undefined) return;
  await git("submodule", "foreach", ...recursive, `git config --local core.sshCommand '${ssh}'`);
}

async function keepOrForget(call: ActionCall, folder: string, { credentials, env }: GitRemote): Promise<void> {
  if (!call.isTrue("persist-credentials")) return await removeFiles(call, credentials);
  const git = async (...args: string[]): Promise<string> =>
    await call.run("git", ["config", "--local", ...args], { cwd: folder, env });
  await git("include.path", credentials);
  const { GIT_SSH_COMMAND: ssh } = env;
  if (ssh !== undefined) await git("core.sshCommand", ssh);
}

async function removeFiles(call: ActionCall, credentials: string): Promise<void> {
  await rm(credentials, { force: true });
  await removeSshFiles(JSON.parse(call.state("ssh") || "[]") as readonly string[]);
}

function refOf(call: ActionCall): string {
  return trimRef(call.inputs["ref"] ?? "");
}

function isOwn(call: ActionCall, { repository }: Pick<GitRemote, "repository">): boolean {
  const own = call.parts.assignment.repository;
  return serverOf(call) === undefined && repository.toLowerCase() === own.toLowerCase();
}

async function wanted(call: ActionCall, folder: string, remote: GitRemote): Promise<GitWant> {
  const { assignment } = call.parts;
  const ref = refOf(call);
  const ours = isOwn(call, remote);
  if (ours && (ref === "" || ref === assignment.ref)) return wantOf(assignment.ref, assignment.sha);
  if (ours && ref === assignment.sha) return { kind: "commit", commit: ref };
  return await findRef(call, folder, remote, ref);
}

function describe(want: GitWant): string {
  return want.kind === "commit" ? want.commit : `${want.kind} ${want.name} at ${want.commit}`;
}

async function forgetCredentials(call: ActionCall): Promise<void> {
  const credentials = call.step.state.get("credentials");
  const folder = call.step.state.get("folder");
  if (credentials === undefined || folder === undefined) return;
  await removeFiles(call, credentials);
  if (!(await readdir(folder).catch((): string[] => [])).includes(".git")) return;
  const unset = [
    "config",
    "--local",
    "--unset-all",
    "include.path",
    credentials.replace(/[.[\]*+?^${}()|\\]/g, "\\$&"),
  ];
  await call.try("git", unset, { cwd: folder, env: gitEnvironment, quiet: true });
  const withKey = call.state("ssh") !== "[]";
  if (withKey) {
    const command = ["config", "--local", "--unset-all", "core.sshCommand"];
    await call.try("git", command, { cwd: folder, env: gitEnvironment, quiet: true });
  }
  if (call.state("submodules") !== "") {
    const keys = ["include.path", ...(withKey ? ["core.sshCommand"] : [])];
    const each = keys.map((key) => `git config --local --unset-all ${key} || true`).join("; ");
    await call.try("git", ["submodule", "foreach", "--recursive", each], {
      cwd: folder,
      env: gitEnvironment,
      quiet: true,
    });
  }
  call.log("The job's git credentials were removed");
}
