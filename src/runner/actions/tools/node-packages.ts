/** What npm, Yarn and pnpm have downloaded, from job to job, by the keys of the official `actions/setup-node`. */
import { lstat, readdir, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findProgram, isObject, readFileIfExists } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { cacheAvailable, restoreCache, saveCache } from "../cache/cache-entries.ts";
import { glob } from "../files/glob.ts";
import { patternPlace } from "../files/place.ts";
import { dependencyHash, nodeArchitecture } from "./package-cache.ts";

interface PackageManager {
  readonly name: string;
  /** The first that lies in the workspace is hashed. */
  readonly lockFiles: readonly string[];
  /** Where it keeps what it has downloaded for the project in the folder. */
  folder(call: ActionCall, project: string): Promise<string>;
}

const managers: readonly PackageManager[] = [
  {
    name: "npm",
    lockFiles: ["package-lock.json", "npm-shrinkwrap.json", "yarn.lock"],
    folder: async (call, project) => await answerOf(call, "npm config get cache", project),
  },
  {
    name: "pnpm",
    lockFiles: ["pnpm-lock.yaml"],
    folder: async (call, project) => await answerOf(call, "pnpm store path --silent", project),
  },
  {
    name: "yarn",
    lockFiles: ["yarn.lock"],
    async folder(call, project) {
      const version = await answerOf(call, "yarn --version", project);
      return await answerOf(call, version.startsWith("1.") ? "yarn cache dir" : "yarn config get cacheFolder", project);
    },
  },
];

const managerState = "SETUP_NODE_CACHE_PACKAGE_MANAGER";
const keyState = "CACHE_KEY";
const matchedState = "CACHE_RESULT";
const pathsState = "CACHE_PATHS";

/** As the inputs say, or the `package.json` of the workspace. */
export async function restoreNodePackages(call: ActionCall): Promise<void> {
  const asked = call.text("cache");
  const automatic = asked === "" && call.major > 4 && call.isTrue("package-manager-cache", true);
  const name = automatic ? await declaredManager(call) : asked;
  if (name === "") return;
  if (!cacheAvailable(call)) {
    call.warn("The runner was not able to contact the cache service. Caching will be skipped");
    return;
  }
  if (automatic && call.major > 5) {
    call.log(
      `package.json says that ${name} is the package manager, so what it downloads is kept. Set package-manager-cache to false where it is not to be`,
    );
  }
  call.saveState(managerState, name);
  const manager = managers.find((one) => one.name === name);
  if (manager === undefined) throw new StepFailure(`Caching for '${name}' is not supported: use npm, yarn or pnpm`);
  await restore(call, manager);
}

async function restore(call: ActionCall, manager: PackageManager): Promise<void> {
  const { name } = manager;
  const { workspace } = call.parts.folders;
  const patterns = call.list("cache-dependency-path");
  // Each project may tell Yarn another folder; the others have one for all.
  const projects = name === "yarn" && patterns.length > 0 ? await projectsOf(call, patterns) : [workspace];
  const folders = await Promise.all(projects.map(async (project) => await manager.folder(call, project)));
  const paths = [...new Set(folders)];
  call.saveState(pathsState, JSON.stringify(paths));
  const hash = dependencyHash(call, patterns.length > 0 ? patterns : [await lockFile(call, manager)]);
  if (hash === "") {
    throw new StepFailure(
      "Some specified paths were not resolved, unable to cache dependencies: check cache-dependency-path",
    );
  }
  const prefix = `node-cache-${call.parts.runner.os}-${nodeArchitecture(call)}-${name}`;
  const key = `${prefix}-${hash}`;
  call.saveState(keyState, key);
  if (call.major > 6) call.setOutput("cache-primary-key", key);
  const managed = name === "yarn" && (await allManagedByYarn(call, projects));
  if (managed) call.log("All dependencies are managed locally by yarn3, the previous cache can be used");
  const matched = await restoreCache(call, { paths, key, ...(managed ? { restoreKeys: [prefix] } : {}) });
  call.setOutput("cache-hit", String(matched !== undefined));
  if (call.major > 6) call.setOutput("cache-matched-key", matched ?? "");
  if (matched === undefined) {
    call.log(`${name} cache is not found`);
    return;
  }
  call.saveState(matchedState, matched);
  call.log(`Cache restored from key: ${matched}`);
}

/** For the last stage; also after a first one that failed, where the job went on. */
export async function saveNodePackages(call: ActionCall): Promise<void> {
  const name = call.state(managerState);
  if (!managers.some((manager) => manager.name === name)) return;
  const paths = JSON.parse(call.state(pathsState) || "[]") as readonly string[];
  if (paths.length === 0) {
    throw new StepFailure(
      `Cache folder paths are not retrieved for ${name} with cache-dependency-path = ${call.text("cache-dependency-path")}`,
    );
  }
  const key = call.state(keyState);
  if (key === "") return;
  if (call.state(matchedState) === key) {
    call.log(`Cache hit occurred on the primary key ${key}, not saving cache.`);
    return;
  }
  if ((await saveCache(call, { paths, key })) !== undefined) call.log(`Cache saved with the key: ${key}`);
}

/** Empty when it declares none for which anything is kept unasked: from version 6 on, that is npm alone. */
async function declaredManager(call: ActionCall): Promise<string> {
  const text = await readFileIfExists(join(call.parts.folders.workspace, "package.json"));
  const manifest = text === undefined ? undefined : parsed(text);
  if (!isObject(manifest)) return "";
  const { packageManager: written } = manifest;
  if (call.major < 6) return typeof written === "string" ? (/^\^?(npm|yarn|pnpm)@/.exec(written)?.[1] ?? "") : "";
  const { devEngines } = manifest;
  const given: unknown = isObject(devEngines) ? devEngines["packageManager"] : undefined;
  const names = (Array.isArray(given) ? given : [given]).map((one: unknown) =>
    isObject(one) ? one["name"] : undefined,
  );
  return [...names, written].some((one) => typeof one === "string" && /^\^?npm(?:@.*)?$/.test(one)) ? "npm" : "";
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function lockFile(call: ActionCall, { lockFiles }: PackageManager): Promise<string> {
  const { workspace } = call.parts.folders;
  const there = await readdir(workspace);
  const found = lockFiles.find((name) => there.includes(name));
  if (found !== undefined) return found;
  throw new StepFailure(
    `Dependencies lock file is not found in ${workspace}. Supported file patterns: ${lockFiles.join(",")}. Check it out before this step, name it with cache-dependency-path, or set package-manager-cache to false`,
  );
}

/** The folders of the files that the patterns mean. */
async function projectsOf(call: ActionCall, patterns: readonly string[]): Promise<readonly string[]> {
  const { paths } = await glob(patterns, { ...patternPlace(call), descendants: true });
  const folders = new Set(paths.map((path) => dirname(path)));
  if (folders.size === 0) {
    call.warn(`No existing directories found containing cache-dependency-path="${call.text("cache-dependency-path")}"`);
  }
  return await Promise.all([...folders].map(async (folder) => await realpath(folder)));
}

/** With dependencies that Yarn 3 keeps in the project, but not in the repository, what an older lock file needed helps too. */
async function allManagedByYarn(call: ActionCall, projects: readonly string[]): Promise<boolean> {
  for (const project of projects) {
    const kept = await lstat(join(project, ".yarn", "cache")).catch(() => undefined);
    if (kept?.isDirectory() === true) return false;
    // Yarn 1 says that it does not know.
    if (!(await command(call, "yarn config get enableGlobalCache", project)).includes("false")) return false;
  }
  return true;
}

async function answerOf(call: ActionCall, line: string, folder: string): Promise<string> {
  const answer = await command(call, line, folder);
  if (answer !== "") return answer;
  throw new StepFailure(`Cannot tell where packages are kept: "${line}" says nothing in "${folder}"`);
}

async function command(call: ActionCall, line: string, folder: string): Promise<string> {
  const [name = "", ...args] = line.split(" ");
  const program = findProgram(name, call.step.scope.job.searchPath(), call.parts.folders.workspace);
  if (program === undefined) {
    throw new StepFailure(
      `Cannot keep packages of ${name}: the program is not on the PATH; install it in a step before this one`,
    );
  }
  call.log(`[command]${program} ${args.join(" ")}`);
  const { exitCode, stdout, tail } = await call.try(program, args, { cwd: folder });
  if (exitCode === 0) return stdout.trim();
  throw new StepFailure(tail === "" ? `The '${line}' command failed with exit code: ${exitCode}` : tail);
}
