/** `actions/setup-node` without a network: the tool cache, the host's Node, or the one that runs us. */
import { access, readdir, readFile, symlink, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import semver from "semver";
import { findProgram, joinInside, readFileIfExists, writeFileAtomic } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { addMatcher } from "../tools/add-matcher.ts";
import { restoreNodePackages, saveNodePackages } from "../tools/node-packages.ts";
import { nodeRange, versionInFile } from "../node-version.ts";

export const setupNode: BuiltinAction = {
  name: "actions/setup-node",
  inputs: {
    "always-auth": "false",
    "node-version": "",
    "node-version-file": "",
    architecture: "",
    "check-latest": "false",
    "registry-url": "",
    scope: "",
    token: "",
    cache: "",
    "package-manager-cache": "true",
    "cache-dependency-path": "",
    mirror: "",
    "mirror-token": "",
  },
  versions: {
    "always-auth": { until: 5 },
    "package-manager-cache": { since: 5 },
    "node-version-file": { since: 2 },
    mirror: { since: 4 },
    "mirror-token": { since: 4 },
  },
  sensitive: ["token", "mirror-token"],
  async main(call) {
    const wanted = await wantedVersion(call);
    if (wanted === undefined && call.text("architecture") !== "") {
      call.warn(
        "`architecture` is provided but `node-version` is missing. In this configuration, the version/architecture of Node will not be changed. To fix this, provide `architecture` in combination with `node-version`",
      );
    }
    if (wanted !== undefined) await useVersion(call, wanted);
    await reportVersion(call);
    if (call.text("registry-url") !== "") await writeNpmrc(call);
    await restoreNodePackages(call);
    addMatcher(call, "tsc", tscLines);
    addMatcher(call, "eslint-stylish", eslintBlocks);
    addMatcher(call, "eslint-compact", eslintLines);
  },
  post: saveNodePackages,
  postIf: "success()",
};

/** `src/a.ts(3,14): error TS2322: …`, or with `--pretty` `src/a.ts:3:14 - error TS2322: …`. */
const tscLines = [
  {
    regexp: String.raw`^(\S.*?)[(:](\d+)[,:](\d+)\)?(?::| -)\s+(error|warning|info)\s+TS(\d+)\s*:\s*(.*)$`,
    file: 1,
    line: 2,
    column: 3,
    severity: 4,
    code: 5,
    message: 6,
  },
];

/** A file's name, and below it a line for each finding. */
const eslintBlocks = [
  { regexp: String.raw`^\s*(\S.*)$`, file: 1 },
  {
    regexp: String.raw`^\s+(\d+):(\d+)\s+(error|warning|info)\s+(.*?)\s{2,}(\S+)$`,
    line: 1,
    column: 2,
    severity: 3,
    message: 4,
    code: 5,
    loop: true,
  },
];

/** `/src/a.js: line 1, col 2, Error - … (rule)`. */
const eslintLines = [
  {
    regexp: String.raw`^(.+): line (\d+), col (\d+), ([Ee]rror|[Ww]arning|[Ii]nfo) - (.+) \((.+)\)$`,
    file: 1,
    line: 2,
    column: 3,
    severity: 4,
    message: 5,
    code: 6,
  },
];

async function wantedVersion(call: ActionCall): Promise<string | undefined> {
  const given = call.text("node-version");
  const file = call.text("node-version-file");
  if (given !== "") {
    if (file !== "")
      call.warn("Both node-version and node-version-file inputs are specified, only node-version will be used");
    return given;
  }
  if (file === "") return undefined;
  const version = await versionOfFile(call, file);
  if (version === undefined) call.warn(`Could not determine node version from ${file}. Falling back`);
  else call.log(`Resolved ${file} as ${version}`);
  return version;
}

/** More is a circle. */
const maxFiles = 10;

async function versionOfFile(call: ActionCall, file: string): Promise<string | undefined> {
  let name = file;
  for (let count = 0; count < maxFiles; count++) {
    const path = joinInside(call.parts.folders.workspace, name);
    const text = path === undefined ? undefined : await readFileIfExists(path);
    if (text === undefined) throw new StepFailure(`The specified node version file at: ${path ?? name} does not exist`);
    const found = versionInFile(text);
    if (found === undefined || "version" in found) return found?.version;
    name = join(dirname(name), found.extends);
    call.log(`Resolving node version from ${name}`);
  }
  throw new StepFailure(`"${file}" names ${maxFiles} files that each name another: write a version into one of them`);
}

interface Candidate {
  readonly version: string;
  /** Folder for the PATH; undefined when it is there already. */
  readonly folder: string | undefined;
  readonly where: string;
}

async function useVersion(call: ActionCall, wanted: string): Promise<void> {
  const range = nodeRange(wanted);
  if (range === undefined)
    throw new StepFailure(`"${wanted}" is not a Node version: write 22, 22.x, >=20, lts/* or latest`);
  const cached = await cachedVersions(call);
  const others = await otherVersions(call);
  const fits = (candidate: Candidate): boolean => range.fits(candidate.version);
  // Upstream prefers its tool cache, and the highest version there.
  const found = cached.filter(fits).sort((a, b) => semver.rcompare(a.version, b.version))[0] ?? others.find(fits);
  if (found === undefined) {
    const there = [...cached, ...others].map((one) => `${one.version} (${one.where})`).join(", ");
    throw new StepFailure(
      `Node ${wanted} is not available and this runner downloads nothing: there is ${there}. Ask for one of these, or put another into the tool cache at node/<version>/<arch>`,
    );
  }
  if (found.folder !== undefined) call.step.scope.job.addPaths([found.folder]);
  call.log(`Node ${wanted} is ${found.version} (${found.where})`);
}

/** `<tool cache>/node/<version>/<arch>` with its `.complete` mark. */
async function cachedVersions(call: ActionCall): Promise<Candidate[]> {
  const arch = call.text("architecture") || (call.parts.runner.arch === "ARM64" ? "arm64" : "x64");
  const root = join(call.parts.folders.toolCache, "node");
  const candidates: Candidate[] = [];
  for (const version of await readdir(root).catch((): string[] => [])) {
    const marked = await access(join(root, version, `${arch}.complete`)).then(
      () => true,
      () => false,
    );
    if (marked && semver.valid(version) !== null) {
      candidates.push({ version, folder: join(root, version, arch, "bin"), where: "tool cache" });
    }
  }
  return candidates;
}

async function otherVersions(call: ActionCall): Promise<Candidate[]> {
  const { runner, folders } = call.parts;
  const candidates: Candidate[] = [];
  const host = findProgram("node", call.step.scope.job.searchPath(), folders.workspace);
  const hostVersion = host === undefined ? undefined : await versionOf(call, host);
  if (hostVersion !== undefined) candidates.push({ version: hostVersion, folder: undefined, where: "the host's" });
  const own = await versionOf(call, runner.nodePath);
  if (own !== undefined) {
    candidates.push({ version: own, folder: await onlyNode(call), where: "Tidegate's own" });
  }
  return candidates;
}

/** A folder with nothing but `node`: the one it lies in may hold other programs that are none of the job's business. */
async function onlyNode(call: ActionCall): Promise<string> {
  const { runner, folders } = call.parts;
  const folder = join(folders.temp, "tidegate-node");
  await mkdir(folder, { recursive: true });
  const link = join(folder, "node");
  await rm(link, { force: true });
  await symlink(runner.nodePath, link);
  return dirname(link);
}

async function versionOf(call: ActionCall, program: string): Promise<string | undefined> {
  const result = await call.try(program, ["--version"], { quiet: true });
  return semver.valid(result.stdout.trim()) ?? undefined;
}

async function reportVersion(call: ActionCall): Promise<void> {
  const path = call.step.scope.job.searchPath();
  const lines: string[] = [];
  for (const program of ["node", "npm", "yarn"]) {
    const found = findProgram(program, path, call.parts.folders.workspace);
    const result =
      found === undefined || program !== "node" ? undefined : await call.try(found, ["--version"], { quiet: true });
    if (program === "node") call.setOutput("node-version", result?.stdout.trim() ?? "");
    lines.push(`${program}: ${result?.stdout.trim() ?? found ?? ""}`);
  }
  call.step.output.group("Environment details", lines);
  call.step.output.flush();
}

/** Upstream's `.npmrc`: the token stays a variable, so the file holds no secret. */
async function writeNpmrc(call: ActionCall): Promise<void> {
  const { folders, assignment } = call.parts;
  const url = new URL(call.text("registry-url"));
  const registry = url.href.endsWith("/") ? url.href : `${url.href}/`;
  let scope = call.text("scope");
  if (scope === "" && url.host === "npm.pkg.github.com") scope = assignment.repository.split("/")[0] ?? "";
  if (scope !== "" && !scope.startsWith("@")) scope = `@${scope}`;
  const path = join(folders.temp, ".npmrc");
  const before = await readFile(path, "utf8").catch(() => "");
  const registryLine = `${scope === "" ? "" : `${scope.toLowerCase()}:`}registry=${registry}`;
  const kept = before
    .split("\n")
    .filter((line) => line !== "" && !line.toLowerCase().startsWith(`${registryLine.split("=")[0]}=`));
  const lines = [...kept, `${registry.replace(/^\w+:/, "")}:_authToken=\${NODE_AUTH_TOKEN}`, registryLine];
  // An option of old npm that later versions of the action no longer have.
  if (call.major < 6) lines.push(`always-auth=${call.text("always-auth")}`);
  await writeFileAtomic(path, lines.join("\n"));
  const { env } = call.step.scope.job;
  env.set("NPM_CONFIG_USERCONFIG", path);
  // A placeholder, as upstream: npm refuses a file whose variable is not set.
  if (call.major < 7 && !env.has("NODE_AUTH_TOKEN")) env.set("NODE_AUTH_TOKEN", "XXXXX-XXXXX-XXXXX-XXXXX");
}
