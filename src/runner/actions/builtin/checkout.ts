/** `actions/checkout` v2 to v7: real git over smart HTTP, the token never on a command line. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { joinInside } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import {
  fetchAndCheckout,
  findRef,
  gitEnvironment,
  repositoryUrl,
  wantOf,
  writeGitCredentials,
  type GitSource,
  type GitWant,
} from "../git-fetch.ts";

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
  sensitive: ["token", "ssh-key"],
  main: checkOut,
  post: forgetCredentials,
};

async function checkOut(call: ActionCall): Promise<void> {
  const { assignment, folders } = call.parts;
  const repository = call.text("repository") || assignment.repository;
  if (folders.bound) return keepWorkingTree(call, repository);
  refuseUnsupported(call);
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) {
    throw new StepFailure(`Invalid repository "${repository}": expected format {owner}/{repo}`);
  }
  const folder = joinInside(folders.workspace, call.text("path"));
  if (folder === undefined) {
    throw new StepFailure(`Repository path "${call.text("path")}" is not under the workspace: choose a relative path`);
  }
  const depth = Number(call.text("fetch-depth") || "1");
  if (!Number.isInteger(depth) || depth < 0) throw new StepFailure(`Input "fetch-depth" must be a whole number`);
  const token = call.text("token") || assignment.secrets["GITHUB_TOKEN"] || "";
  const credentials = await writeGitCredentials(call, token);
  call.step.state.set("credentials", credentials);
  call.step.state.set("folder", folder);
  await mkdir(folder, { recursive: true });
  await prepareRepository(call, folder, repository);
  const want = await wanted(call, repository, credentials);
  call.log(`Fetching ${repository} ${describe(want)}`);
  const tags = call.flag("fetch-tags");
  const commit = await fetchAndCheckout(call, folder, { want, depth, tags, ...filesOf(call) }, credentials);
  await checkOutSubmodules(call, folder, depth, credentials);
  if (call.flag("persist-credentials")) {
    await call.run("git", ["config", "--local", "include.path", credentials], { cwd: folder, env: gitEnvironment });
  } else await rm(credentials, { force: true });
  call.setOutput("commit", commit);
  call.setOutput("ref", call.text("ref") || (repository === assignment.repository ? assignment.ref : ""));
  call.log(`HEAD is now at ${commit}`);
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

function refuseUnsupported(call: ActionCall): void {
  const { serverUrl } = call.parts.assignment.services;
  const unsupported = [
    ["ssh-key", call.text("ssh-key") !== "", "use the job's token"],
    ["lfs", call.flag("lfs"), "run git lfs in a step of its own"],
    ["github-server-url", ![serverUrl, ""].includes(call.text("github-server-url")), "leave it out"],
  ] as const;
  for (const [name, used, remedy] of unsupported) {
    if (used) throw new StepFailure(`Input "${name}" of the built-in actions/checkout is not supported: ${remedy}`);
  }
}

/** Which files are fetched and written down; those that are not written need not be fetched, either. */
function filesOf(call: ActionCall): Pick<GitSource, "filter" | "sparse"> {
  const patterns = call.list("sparse-checkout");
  if (patterns.length > 0) {
    return { filter: "blob:none", sparse: { cone: call.flag("sparse-checkout-cone-mode"), patterns } };
  }
  const filter = call.text("filter");
  return filter === "" ? {} : { filter };
}

async function checkOutSubmodules(call: ActionCall, folder: string, depth: number, credentials: string): Promise<void> {
  const wanted = call.text("submodules").toLowerCase();
  if (wanted === "" || wanted === "false") return;
  const recursive = wanted === "recursive" ? ["--recursive"] : [];
  const git = async (...args: string[]): Promise<string> =>
    await call.run("git", args, { cwd: folder, env: gitEnvironment, quiet: true });
  await git("submodule", "sync", ...recursive);
  const deep = depth === 0 ? [] : [`--depth=${depth}`];
  const update = ["submodule", "update", "--init", "--force", ...deep, ...recursive];
  await git("-c", `include.path=${credentials}`, "-c", "protocol.version=2", ...update);
  await git("submodule", "foreach", ...recursive, "git config --local gc.auto 0");
  if (!call.flag("persist-credentials")) return;
  await git("submodule", "foreach", ...recursive, `git config --local include.path "${credentials}"`);
  call.saveState("submodules", wanted);
}

/** An existing checkout of the same repository is cleaned and used again; anything else in the folder goes. */
async function prepareRepository(call: ActionCall, folder: string, repository: string): Promise<void> {
  const url = repositoryUrl(call, repository);
  const options = { cwd: folder, env: gitEnvironment, quiet: true };
  const entries = await readdir(folder);
  if (entries.includes(".git")) {
    const current = await call.try("git", ["config", "--local", "--get", "remote.origin.url"], options);
    if (current.stdout === url) {
      await call.try("git", ["config", "--local", "--unset-all", "include.path"], options);
      if (call.flag("clean")) {
        await call.run("git", ["clean", "-ffdx"], options);
        await call.try("git", ["reset", "--quiet", "--hard", "HEAD"], options);
      }
      return;
    }
  }
  for (const name of entries) await rm(join(folder, name), { recursive: true, force: true });
  await call.run("git", ["-c", "init.defaultBranch=main", "init", "--quiet"], options);
  await call.run("git", ["remote", "add", "origin", url], options);
  await call.run("git", ["config", "--local", "gc.auto", "0"], options);
}

async function wanted(call: ActionCall, repository: string, credentials: string): Promise<GitWant> {
  const { assignment } = call.parts;
  const ref = call.text("ref");
  const ours = repository.toLowerCase() === assignment.repository.toLowerCase();
  if (ours && (ref === "" || ref === assignment.ref)) return wantOf(assignment.ref, assignment.sha);
  if (ours && ref === assignment.sha) return { kind: "commit", commit: ref };
  return await findRef(call, repository, ref, credentials);
}

function describe(want: GitWant): string {
  return want.kind === "commit" ? want.commit : `${want.kind} ${want.name} at ${want.commit}`;
}

async function forgetCredentials(call: ActionCall): Promise<void> {
  const credentials = call.step.state.get("credentials");
  const folder = call.step.state.get("folder");
  if (credentials === undefined || folder === undefined) return;
  await rm(credentials, { force: true });
  if (!(await readdir(folder).catch((): string[] => [])).includes(".git")) return;
  const unset = [
    "config",
    "--local",
    "--unset-all",
    "include.path",
    credentials.replace(/[.[\]*+?^${}()|\\]/g, "\\$&"),
  ];
  await call.try("git", unset, { cwd: folder, env: gitEnvironment, quiet: true });
  if (call.state("submodules") !== "") {
    const each = ["submodule", "foreach", "--recursive", "git config --local --unset-all include.path || true"];
    await call.try("git", each, { cwd: folder, env: gitEnvironment, quiet: true });
  }
  call.log("The job's git credentials were removed");
}
