/**
 * `actions/setup-python`: a Python of the tool cache, or of a download mirror, as it is; or one of the machine, in a
 * virtual environment that belongs to the job, so that what steps install stays in it.
 */
import { readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import semver from "semver";
import { findProgram, joinInside, readFileIfExists } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { addMatcher } from "../tools/add-matcher.ts";
import { operatingSystem } from "../tools/operating-system.ts";
import {
  dependencyHash,
  nodeArchitecture,
  noDependencyFile,
  restorePackages,
  savePackages,
} from "../tools/package-cache.ts";
import { pythonRange, pythonSemver, pythonVersionsInFile } from "../tools/python-version.ts";
import { cachedTools, exists, listTools, toolArchitecture, type Tool } from "../tools/tool-cache.ts";
import { installTool, mirroredRelease, toolRemedy } from "../tools/tool-mirror.ts";

export const setupPython: BuiltinAction = {
  name: "actions/setup-python",
  inputs: {
    "python-version": "",
    "python-version-file": "",
    cache: "",
    architecture: "",
    "check-latest": "false",
    token: "",
    "cache-dependency-path": "",
    "update-environment": "true",
    "allow-prereleases": "false",
    freethreaded: "false",
    "pip-version": "",
    "pip-install": "",
  },
  versions: {
    "python-version": { earlier: { before: 4, default: "3.x" } },
    "python-version-file": { since: 4 },
    "check-latest": { since: 4 },
    "update-environment": { since: 4 },
    "allow-prereleases": { since: 4 },
    freethreaded: { since: 5 },
    "pip-version": { since: 6 },
    "pip-install": { since: 6, until: 6 },
  },
  sensitive: ["token"],
  postIf: "success()",
  async main(call) {
    const versions = await wantedVersions(call);
    for (const name of ["check-latest", "allow-prereleases", "freethreaded"]) call.flag(name);
    if (versions.length > 0) call.flag("update-environment");
    if (versions.length === 0) {
      call.warn("The `python-version` input is not set.  The version of Python currently in `PATH` will be used.");
    }
    let version = "";
    for (const wanted of versions) version = await setUp(call, wanted);
    if (call.text("cache") !== "" && version !== "") await restore(call, version);
    const packages = call.text("pip-install");
    if (packages !== "") await call.run("python", ["-m", "pip", "install", ...packages.split(/\s+/)]);
    addMatcher(call, "python", [
      { regexp: String.raw`^\s*File "(.*)", line (\d+)(?:, in .*)?$`, file: 1, line: 2 },
      { regexp: String.raw`^\s{4}.*$` },
      { regexp: String.raw`^((?:\w+\.)*\w*(?:Error|Exception|Warning)\b.*)$`, message: 1 },
    ]);
  },
  async post(call) {
    if (call.text("cache") !== "") await savePackages(call, call.text("cache"));
  },
};

async function wantedVersions(call: ActionCall): Promise<readonly string[]> {
  const given = call.list("python-version");
  const file = call.text("python-version-file");
  if (given.length > 0) {
    if (file !== "") {
      call.warn("Both python-version and python-version-file inputs are specified, only python-version will be used.");
    }
    return given;
  }
  if (file === "") {
    call.log(
      "[warning]Neither 'python-version' nor 'python-version-file' inputs were supplied. Attempting to find '.python-version' file.",
    );
  }
  const name = file === "" ? ".python-version" : file;
  const path = joinInside(call.parts.folders.workspace, name);
  const text = path === undefined ? undefined : await readFileIfExists(path);
  if (text === undefined) {
    if (file !== "") throw new StepFailure(`The specified python version file at: ${file} doesn't exist.`);
    call.log("[warning].python-version doesn't exist.");
    return [];
  }
  const versions = pythonVersionsInFile(text, name);
  if (versions.length === 0) call.warn(`No Python version found in ${name}`);
  else call.log(`Resolved ${name} as ${versions.join(", ")}`);
  return versions;
}

/** Answers the version that is now set up. */
async function setUp(call: ActionCall, wanted: string): Promise<string> {
  if (/^(?:pypy|graalpy)/i.test(wanted)) {
    throw new StepFailure(`"${wanted}" cannot be set up here: only CPython is, e.g. python-version: "3.12"`);
  }
  const range = pythonRange(wanted, call.flag("allow-prereleases"));
  if (range === undefined) {
    throw new StepFailure(`"${wanted}" is not a Python version: write "3.12", "3.x", ">=3.9 <3.13" or "3.13-dev"`);
  }
  const threads = range.freethreaded || call.flag("freethreaded") ? "-freethreaded" : "";
  const arch = `${toolArchitecture(call)}${threads}`;
  const cached = await cachedTools(call, "Python", arch);
  const found = cached.find((tool) => range.fits(tool.version));
  if (found !== undefined) return await useFolder(call, found, threads !== "");
  // Asking a program for its version takes a while: only those that may fit are asked.
  const fitting = threads === "" ? await machinePythons(call, range.range) : [];
  const own = fitting.find((tool) => range.fits(tool.version));
  if (own !== undefined) return await useMachine(call, own);
  const release = await mirroredRelease(call, "Python", arch, range.fits);
  if (release !== undefined) return await useFolder(call, await installTool(call, "Python", arch, release), false);
  const machine = await machinePythons(call, "*");
  throw new StepFailure(
    `The version '${wanted}' with architecture '${arch}' was not found: there is ${listTools([...cached, ...machine])}; ${toolRemedy(call, "Python", arch)}`,
  );
}

interface MachinePython extends Tool {
  readonly program: string;
}

/** `python3`, `python` and each `python3.<n>` of the PATH, newest first. */
async function machinePythons(call: ActionCall, range: string): Promise<readonly MachinePython[]> {
  // The machine's programs are not in the container of a job; its tool cache is.
  if (call.step.scope.job.host.kind === "container") return [];
  const path = call.step.scope.job.searchPath();
  const names = new Set(["python3", "python"]);
  for (const folder of path.split(":")) {
    for (const name of await readdir(folder).catch((): string[] => [])) {
      const minor = /^python(3\.\d+)$/.exec(name)?.[1];
      if (minor !== undefined && (range === "*" || semver.intersects(`${minor}.x`, range))) names.add(name);
    }
  }
  const found = new Map<string, MachinePython>();
  for (const name of names) {
    const program = findProgram(name, path, call.parts.folders.workspace);
    if (program === undefined) continue;
    const script = "import platform, sys; print(platform.python_version()); print(sys.prefix); print(sys.executable)";
    const { exitCode, stdout } = await call.try(program, ["-I", "-c", script], { quiet: true });
    const [version = "", folder = "", executable = program] = stdout.split("\n");
    const clean = pythonSemver(version);
    if (exitCode !== 0 || semver.valid(clean) === null || found.has(clean)) continue;
    found.set(clean, { version: clean, folder, program: executable, where: "the machine's" });
  }
  return [...found.values()].sort((a, b) => semver.rcompare(a.version, b.version));
}

async function useMachine(call: ActionCall, tool: MachinePython): Promise<string> {
  const { temp } = call.parts.folders;
  const folder = join(temp, "tidegate-python", tool.version, toolArchitecture(call));
  if (!(await exists(join(folder, "pyvenv.cfg")))) {
    const made = await call.try(tool.program, ["-m", "venv", folder], { quiet: true });
    if (made.exitCode !== 0) {
      const bare = await call.try(tool.program, ["-m", "venv", "--without-pip", "--clear", folder], { quiet: true });
      if (bare.exitCode !== 0) {
        throw new StepFailure(
          `Python ${tool.version} of the machine cannot make a virtual environment: ${bare.tail}; install its venv module (python3-venv)`,
        );
      }
      call.warn(`Python ${tool.version} of the machine brings no pip: install its ensurepip module (python3-venv)`);
    }
  }
  const { major, minor } = new semver.SemVer(tool.version);
  await symlink("python", join(folder, "bin", `python${major}.${minor}`)).catch(() => {});
  call.log(`Python ${tool.version} is the machine's (${tool.program}), in a virtual environment of this job`);
  // A virtual environment finds its libraries itself; the machine's are where they always were.
  return await useFolder(call, { ...tool, folder }, false, false);
}

async function useFolder(
  call: ActionCall,
  { version, folder, where }: Tool,
  freethreaded: boolean,
  libraries = true,
): Promise<string> {
  const bin = join(folder, "bin");
  if (call.flag("update-environment")) {
    const roots = ["pythonLocation", "Python_ROOT_DIR", "Python2_ROOT_DIR", "Python3_ROOT_DIR"];
    for (const name of roots) call.exportVariable(name, folder);
    if (libraries) {
      call.exportVariable("PKG_CONFIG_PATH", join(folder, "lib", "pkgconfig"));
      const before = call.env("LD_LIBRARY_PATH");
      const lib = join(folder, "lib");
      if (!before.split(":").includes(lib)) {
        call.exportVariable("LD_LIBRARY_PATH", before === "" ? lib : `${lib}:${before}`);
      }
    }
    call.addPath(folder);
    call.addPath(bin);
  }
  const shown = freethreaded ? `${version}t` : version;
  call.setOutput("python-version", shown);
  call.setOutput("python-path", join(bin, "python"));
  await installPip(call, join(bin, "python"));
  call.log(`Successfully set up CPython (${shown}) from ${where === "tool cache" ? "the tool cache" : where}`);
  return shown;
}

async function installPip(call: ActionCall, python: string): Promise<void> {
  const version = call.text("pip-version");
  if (version === "") return;
  if (!/^\d+(?:\.\d+)?(?:\.\d+)?$/.test(version)) {
    throw new StepFailure(
      `Invalid pip-version "${version}". Please specify a version in the format major[.minor][.patch].`,
    );
  }
  call.log(`pip-version input is specified. Installing pip version ${version}`);
  const options = ["--disable-pip-version-check", "--no-warn-script-location"];
  await call.run(python, ["-m", "pip", "install", "--upgrade", `pip==${version}`, ...options]);
}

async function restore(call: ActionCall, version: string): Promise<void> {
  const manager = call.text("cache");
  const given = call.list("cache-dependency-path");
  const defaults: Readonly<Record<string, readonly string[]>> = {
    pip: ["**/requirements.txt"],
    pipenv: ["**/Pipfile.lock"],
    poetry: ["**/poetry.lock"],
  };
  const usual = defaults[manager];
  if (usual === undefined) throw new StepFailure(`Caching for '${manager}' is not supported`);
  const patterns = given.length > 0 ? given : usual;
  const hash = dependencyHash(call, patterns) || (manager === "pip" ? dependencyHash(call, ["**/pyproject.toml"]) : "");
  if (hash === "") throw noDependencyFile(call, patterns);
  const os = await operatingSystem(call);
  const redHat = /^rhel$|redhat/i.test(os.name);
  const segment = redHat ? `${os.version.split(".")[0]}-rhel` : `${os.version}-${os.name}`;
  const beginning = `setup-python-${call.parts.runner.os}-${nodeArchitecture(call)}-${segment}-python-${version}-${manager}`;
  const key = `${beginning}${manager === "poetry" ? "-v2" : ""}-${hash}`;
  const paths = [await cacheFolder(call, manager)];
  const restoreKeys = manager === "pip" ? [beginning] : [];
  call.setOutput("cache-hit", String(await restorePackages(call, { name: manager, paths, key, restoreKeys })));
}

async function cacheFolder(call: ActionCall, manager: string): Promise<string> {
  if (manager === "pipenv") return join(call.env("HOME"), ".local", "share", "virtualenvs");
  const args = manager === "pip" ? ["cache", "dir"] : ["config", "virtualenvs.path"];
  const { exitCode, stdout } = await call.try(manager, args, { quiet: true });
  const folder = stdout.trim().split("\n").at(-1) ?? "";
  if (exitCode === 0 && folder !== "") return folder;
  throw new StepFailure(`Could not get cache folder path for ${manager} package manager`);
}
