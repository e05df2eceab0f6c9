/** `actions/setup-go`: a Go of the tool cache, of the machine, or of a place that serves what go.dev/dl does. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import semver from "semver";
import { findProgram, isObject, joinInside, readFileIfExists } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { addMatcher } from "../tools/add-matcher.ts";
import { goRange, goSemver, goVersionInFile, type GoRange } from "../tools/go-version.ts";
import { dependencyHash, nodeArchitecture, restorePackages, savePackages } from "../tools/package-cache.ts";
import { cachedTools, listTools, toolArchitecture, type Tool } from "../tools/tool-cache.ts";
import { fetchJson, installTool, mirroredRelease, toolRemedy, type ToolRelease } from "../tools/tool-mirror.ts";

export const setupGo: BuiltinAction = {
  name: "actions/setup-go",
  inputs: {
    "go-version": "",
    "go-version-file": "",
    "check-latest": "false",
    token: "",
    cache: "true",
    "cache-dependency-path": "",
    architecture: "",
    "go-download-base-url": "",
  },
  versions: {
    "go-version-file": { since: 3 },
    cache: { since: 3, earlier: { before: 4, default: "false" } },
    "cache-dependency-path": { since: 3 },
    architecture: { since: 3 },
    "go-download-base-url": { since: 6 },
  },
  sensitive: ["token"],
  postIf: "success()",
  async main(call) {
    const wanted = await wantedVersion(call);
    call.exportVariable("GOTOOLCHAIN", "local");
    const keeps = call.flag("cache");
    if (wanted !== "") call.flag("check-latest");
    call.log(`Setup go version spec ${wanted}`);
    if (wanted === "") {
      call.log("[warning]go-version input was not specified. The action will try to use pre-installed version.");
    } else {
      const tool = await findGo(call, wanted);
      call.addPath(join(tool.folder, "bin"));
      call.log("Added go to the path");
      if (semver.lt(tool.version, "1.9.0")) call.exportVariable("GOROOT", tool.folder);
      call.log(`Successfully set up Go version ${wanted}: ${tool.version} (${tool.where})`);
    }
    const go = findProgram("go", call.step.scope.job.searchPath(), call.parts.folders.workspace);
    if (go === undefined) throw new StepFailure("There is no go on the PATH: give go-version, or install Go");
    await addBinFolder(call, go);
    const printed = await call.run(go, ["version"], { quiet: true });
    const version = printed.split(" ")[2]?.slice("go".length) ?? "";
    if (keeps) await restore(call, go, version);
    addMatcher(call, "go", [
      { regexp: String.raw`^\s*(\S.*?\.go):(\d+)(?::(\d+))?:?\s+(.*)$`, file: 1, line: 2, column: 3, message: 4 },
    ]);
    call.log(printed);
    call.setOutput("go-version", version);
    const env = await call.run(go, ["env"], { quiet: true });
    call.step.output.group("go env", env.split("\n"));
    call.step.output.flush();
  },
  async post(call) {
    try {
      if (call.flag("cache")) await savePackages(call, "go");
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      call.warn(error.message);
    }
  },
};

async function wantedVersion(call: ActionCall): Promise<string> {
  const given = call.text("go-version");
  const file = call.text("go-version-file");
  if (given !== "") {
    if (file !== "") {
      call.warn("Both go-version and go-version-file inputs are specified, only go-version will be used");
    }
    return given;
  }
  if (file === "") return "";
  const path = joinInside(call.parts.folders.workspace, file);
  const text = path === undefined ? undefined : await readFileIfExists(path);
  if (text === undefined) throw new StepFailure(`The specified go version file at: ${file} does not exist`);
  return goVersionInFile(text, file);
}

async function findGo(call: ActionCall, wanted: string): Promise<Tool> {
  const range = goRange(wanted);
  if (range === undefined) {
    throw new StepFailure(`"${wanted}" is not a Go version: write "1.22", "1.22.x", "^1.21", stable or oldstable`);
  }
  const arch = toolArchitecture(call);
  const cached = await cachedTools(call, "go", arch, goSemver);
  const machine = await machineGos(call);
  for (const tools of [cached, machine]) {
    const version = range.pick(tools.map((tool) => tool.version));
    const found = tools.find((tool) => tool.version === version);
    if (found !== undefined) return found;
  }
  const release = (await listedRelease(call, range)) ?? (await mirrored(call, arch, range));
  if (release !== undefined) return await installTool(call, "go", arch, release);
  throw new StepFailure(
    `Unable to find Go version '${wanted}' for platform linux and architecture ${arch}: there is ${listTools([...cached, ...machine])}; ${toolRemedy(call, "go", arch)}`,
  );
}

async function mirrored(call: ActionCall, arch: string, range: GoRange): Promise<ToolRelease | undefined> {
  return await mirroredRelease(call, "go", arch, (version) => range.pick([version]) !== undefined);
}

/** `go-download-base-url`: the list of go.dev/dl, and its files below the same address. */
async function listedRelease(call: ActionCall, range: GoRange): Promise<ToolRelease | undefined> {
  const base = (call.text("go-download-base-url") || call.env("GO_DOWNLOAD_BASE_URL")).replace(/\/+$/, "");
  if (base === "") return undefined;
  call.log(`Using custom Go download base URL: ${base}`);
  const list = await fetchJson(call, `${base}/?mode=json&include=all`);
  const arch = nodeArchitecture(call) === "arm64" ? "arm64" : "amd64";
  const releases = (Array.isArray(list) ? list : []).filter(isObject).flatMap((entry): ToolRelease[] => {
    const files = Array.isArray(entry["files"]) ? entry["files"].filter(isObject) : [];
    const file = files.find((one) => one["os"] === "linux" && one["arch"] === arch && one["kind"] === "archive");
    const { filename, sha256 } = file ?? {};
    if (typeof filename !== "string" || typeof sha256 !== "string") return [];
    return [{ version: goSemver(String(entry["version"])), url: `${base}/${filename}`, sha256 }];
  });
  const sorted = releases.filter(({ version }) => semver.valid(version) !== null);
  sorted.sort((a, b) => semver.rcompare(a.version, b.version));
  const picked = range.pick(sorted.map(({ version }) => version));
  return sorted.find(({ version }) => version === picked);
}

/** The one of the PATH, the usual place of go.dev's packages, and those of Debian. Newest first. */
async function machineGos(call: ActionCall): Promise<readonly Tool[]> {
  if (call.step.scope.job.host.kind === "container") return [];
  const { workspace } = call.parts.folders;
  const debian = (await readdir("/usr/lib").catch((): string[] => [])).filter((name) => /^go-\d/.test(name));
  const programs = [
    findProgram("go", call.step.scope.job.searchPath(), workspace),
    ...["/usr/local/go", ...debian.map((name) => `/usr/lib/${name}`)].map((root) => `${root}/bin/go`),
  ];
  const found = new Map<string, Tool>();
  for (const program of programs) {
    if (program === undefined || findProgram(program, "", workspace) === undefined) continue;
    const { exitCode, stdout } = await call.try(program, ["env", "GOVERSION", "GOROOT"], { quiet: true });
    const [name = "", folder = ""] = stdout.split("\n");
    const version = goSemver(name);
    if (exitCode !== 0 || semver.valid(version) === null || found.has(version)) continue;
    found.set(version, { version, folder, where: "the machine's" });
  }
  return [...found.values()].sort((a, b) => semver.rcompare(a.version, b.version));
}

async function addBinFolder(call: ActionCall, go: string): Promise<void> {
  const folder = await call.run(go, ["env", "GOPATH"], { quiet: true });
  if (folder === "") return;
  const bin = join(folder, "bin");
  await mkdir(bin, { recursive: true });
  call.addPath(bin);
}

async function restore(call: ActionCall, go: string, version: string): Promise<void> {
  const given = call.list("cache-dependency-path");
  const patterns = given.length > 0 ? given : ["go.mod"];
  const hash = dependencyHash(call, patterns);
  if (hash === "") {
    const { workspace } = call.parts.folders;
    const reason =
      given.length > 0
        ? "Some specified paths were not resolved, unable to cache dependencies."
        : `Dependencies file is not found in ${workspace}. Supported file pattern: go.mod`;
    call.warn(`Restore cache failed: ${reason}`);
    return;
  }
  const folders = await call.run(go, ["env", "GOMODCACHE", "GOCACHE"], { quiet: true });
  const image = call.env("ImageOS") || "undefined";
  const key = `setup-go-${call.parts.runner.os}-${nodeArchitecture(call)}-${image}-go-${version}-${hash}`;
  const paths = folders.split("\n").filter((path) => path !== "");
  call.setOutput("cache-hit", String(await restorePackages(call, { name: "go", paths, key })));
}
