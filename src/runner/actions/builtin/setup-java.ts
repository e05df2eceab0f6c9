/** `actions/setup-java`: a JDK of the tool cache, of the machine, of a file or of a download mirror; Maven's files. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import semver from "semver";
import { findProgram, joinInside, readFileIfExists } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall, BuiltinAction } from "../builtin-action.ts";
import { addMatcher } from "../tools/add-matcher.ts";
import { findDistribution, vendorsByFileName, type JavaDistribution } from "../tools/java-distributions.ts";
import { javaRange, javaVersionInFile, readJavaRelease, type JavaRange } from "../tools/java-version.ts";
import { restoreJavaPackages, saveJavaPackages } from "../tools/java-packages.ts";
import { writeMavenFiles } from "../tools/maven-files.ts";
import { cachedTools, exists, listTools, toolArchitecture, type Tool } from "../tools/tool-cache.ts";
import { installTool, mirroredRelease, toolRemedy } from "../tools/tool-mirror.ts";

export const setupJava: BuiltinAction = {
  name: "actions/setup-java",
  inputs: {
    "java-version": "",
    "java-version-file": "",
    distribution: "",
    "java-package": "jdk",
    architecture: "",
    jdkFile: "",
    "jdk-file": "",
    "check-latest": "false",
    "force-download": "false",
    "set-default": "true",
    "verify-signature": "false",
    "verify-signature-public-key": "",
    "server-id": "github",
    "server-username": "GITHUB_ACTOR",
    "server-password": "GITHUB_TOKEN",
    "server-username-env-var": "",
    "server-password-env-var": "",
    "settings-path": "",
    "overwrite-settings": "true",
    "gpg-private-key": "",
    "gpg-passphrase": "",
    "gpg-passphrase-env-var": "",
    cache: "",
    "cache-jdk": "",
    "cache-dependency-path": "",
    "cache-path": "",
    "cache-read-only": "false",
    "job-status": "",
    token: "",
    "mvn-toolchain-id": "",
    "mvn-toolchain-vendor": "",
    "show-download-progress": "false",
    "problem-matcher": "true",
  },
  versions: {
    "cache-dependency-path": { since: 4 },
    jdkFile: { deprecatedSince: 5 },
    "jdk-file": { since: 5 },
    "set-default": { since: 5 },
    "verify-signature": { since: 5 },
    "verify-signature-public-key": { since: 5 },
    "show-download-progress": { since: 5 },
    "force-download": { since: 6 },
    "server-username-env-var": { since: 6 },
    "server-password-env-var": { since: 6 },
    "gpg-passphrase-env-var": { since: 6 },
    "cache-jdk": { since: 6 },
    "cache-path": { since: 6 },
    "cache-read-only": { since: 6 },
    "problem-matcher": { since: 6 },
  },
  deprecated: { jdkFile: "The `jdkFile` input is deprecated. Use `jdk-file` instead." },
  sensitive: ["token", "gpg-private-key"],
  async main(call) {
    const { versions, distribution } = await wanted(call);
    if (call.major > 4 && call.text("jdkFile") !== "") {
      call.warn(
        "The 'jdkFile' input is deprecated and may be removed in a future release. Please use 'jdk-file' instead.",
      );
    }
    const installed: { wanted: string; jdk: Tool }[] = [];
    for (const version of versions) {
      const jdk = await findJdk(call, version, distribution);
      use(call, jdk, distribution);
      installed.push({ wanted: version, jdk });
    }
    addMatcher(call, "javac", [
      { regexp: String.raw`^(\S.*\.java):(\d+): (error|warning): (.*)$`, file: 1, line: 2, severity: 3, message: 4 },
    ]);
    const toolchains = installed.map(({ wanted: version, jdk }) => ({ version, home: jdk.folder }));
    await writeMavenFiles(call, distribution.name, toolchains);
    if (call.major > 4) quietMaven(call);
    if (call.text("cache") !== "") await restoreJavaPackages(call);
  },
  async post(call) {
    const status = call.gave("job-status") ? call.text("job-status") : call.step.scope.job.status;
    const failed = status !== "success";
    if (call.text("cache") !== "" && !failed && !call.isTrue("cache-read-only")) await saveJavaPackages(call);
  },
};

/** What is downloaded is not listed, which would be most of the log. */
function quietMaven(call: ActionCall): void {
  const before = call.env("MAVEN_ARGS").trim();
  const told = before.split(/\s+/).some((arg) => arg === "-ntp" || arg === "--no-transfer-progress");
  if (told || call.isTrue("show-download-progress")) return;
  call.exportVariable("MAVEN_ARGS", before === "" ? "-ntp" : `${before} -ntp`);
}

async function wanted(call: ActionCall): Promise<{ versions: readonly string[]; distribution: JavaDistribution }> {
  const versions = call.list("java-version");
  const file = call.text("java-version-file");
  let name = call.text("distribution");
  if (versions.length === 0) {
    if (file === "") throw new StepFailure("java-version or java-version-file input expected");
    const path = joinInside(call.parts.folders.workspace, file);
    const text = path === undefined ? undefined : await readFileIfExists(path);
    if (text === undefined) throw new StepFailure(`The specified java version file at: ${file} does not exist`);
    const found = javaVersionInFile(text, file);
    if (found === undefined) throw new StepFailure(`No supported version was found in file ${file}`);
    const vendor = found.vendor === undefined ? undefined : vendorsByFileName[found.vendor.split("-")[0] ?? ""];
    if (vendor !== undefined) {
      call.log(`Using distribution '${vendor}' from ${file}`);
      name = vendor;
    }
    versions.push(found.version);
  }
  if (name === "") throw new StepFailure("distribution input is required");
  const distribution = findDistribution(name);
  if (distribution === undefined) throw new StepFailure(`No supported distribution was found for input ${name}`);
  return { versions, distribution };
}

async function findJdk(call: ActionCall, written: string, distribution: JavaDistribution): Promise<Tool> {
  const range = javaRange(written);
  if (range === undefined) {
    throw new StepFailure(`The string '${written}' is not valid SemVer notation for a Java version`);
  }
  const arch = toolArchitecture(call);
  const tool = `Java_${distribution.folder}_${call.text("java-package")}`;
  const cached = (await cachedTools(call, tool, arch, cachedVersion)).filter(
    ({ folder }) => /-ea(?:\.|$)/.test(dirname(folder)) !== range.stable,
  );
  const found = cached.find(({ version }) => range.fits(version));
  if (found !== undefined) return found;
  if (distribution.name === "jdkfile") return await fromFile(call, tool, arch, range, written);
  const machine = await machineJdks(call);
  const fitting = machine.filter(({ version }) => range.fits(version));
  const own = fitting.find(({ implementor }) => distribution.implementors.test(implementor));
  if (own !== undefined) return own;
  const release = await mirroredRelease(call, tool, arch, range.fits);
  if (release !== undefined) {
    return await installTool(call, tool, arch, release, release.version.replace("+", "-"));
  }
  const [other] = fitting;
  if (other === undefined) {
    throw new StepFailure(
      `Could not find satisfied version for SemVer '${written}' of ${distribution.name}: there is ${listTools([...cached, ...machine])}; ${toolRemedy(call, tool, arch)}`,
    );
  }
  call.warn(
    `There is no ${distribution.name} ${written} here: the JDK ${other.version} of ${other.implementor || "another vendor"} at ${other.folder} is used instead`,
  );
  return other;
}

/** `17.0.9-9` is `17.0.9+9`: a plus sign in a path is more than some tools can bear. */
function cachedVersion(name: string): string {
  return name.replace("-ea.", "+").replace(/-ea$/, "").replace("-", "+");
}

interface MachineJdk extends Tool {
  readonly implementor: string;
}

/** Newest first. */
async function machineJdks(call: ActionCall): Promise<readonly MachineJdk[]> {
  if (call.step.scope.job.host.kind === "container") return [];
  const program = findProgram("java", call.step.scope.job.searchPath(), call.parts.folders.workspace);
  const root = "/usr/lib/jvm";
  const names = await readdir(root).catch((): string[] => []);
  const homes = [
    ...(program === undefined ? [] : [join(dirname(await realpath(program)), "..")]),
    ...(call.env("JAVA_HOME") === "" ? [] : [call.env("JAVA_HOME")]),
    ...names.map((name) => join(root, name)),
  ];
  const found = new Map<string, MachineJdk>();
  const wantsJdk = call.text("java-package").startsWith("jdk");
  for (const home of homes) {
    const folder = await realpath(home).catch(() => undefined);
    const text = folder === undefined ? undefined : await readFileIfExists(join(folder, "release"));
    const facts = text === undefined ? undefined : readJavaRelease(text);
    if (folder === undefined || facts === undefined || found.has(folder)) continue;
    if (!(await exists(join(folder, "bin", wantsJdk ? "javac" : "java")))) continue;
    found.set(folder, { ...facts, folder, where: `the machine's, of ${facts.implementor || "unknown origin"}` });
  }
  return [...found.values()].sort((a, b) => semver.compareBuild(b.version, a.version));
}

async function fromFile(
  call: ActionCall,
  tool: string,
  arch: string,
  range: JavaRange,
  written: string,
): Promise<Tool> {
  const given = call.text("jdk-file") || call.text("jdkFile");
  if (given === "") throw new StepFailure("'jdk-file' is not specified");
  if (/^https?:/.test(given)) throw new StepFailure(`"${given}" is not a file: download it in a step before this one`);
  const file = given.startsWith("/") ? given : join(call.parts.folders.workspace, given);
  if (!(await exists(file))) throw new StepFailure(`JDK file was not found in path '${given}'`);
  const work = join(call.parts.folders.temp, call.parts.ids.uuid());
  await mkdir(work, { recursive: true });
  await call.run("tar", ["-xzf", file, "-C", work], { quiet: true });
  const [inner = "."] = await readdir(work);
  const folder = (await exists(join(work, "release"))) ? work : join(work, inner);
  const facts = readJavaRelease((await readFileIfExists(join(folder, "release"))) ?? "");
  const version = facts?.version ?? written;
  if (facts !== undefined && !range.fits(version)) {
    call.warn(`The JDK of "${given}" is ${version}, which is not the java-version ${written}`);
  }
  call.debug(
    `${tool} ${arch} ${createHash("sha256")
      .update(await readFile(file))
      .digest("hex")}`,
  );
  return { version, folder, where: given };
}

function use(call: ActionCall, jdk: Tool, distribution: JavaDistribution): void {
  const major = jdk.version.split(".")[0] ?? "";
  if (call.isTrue("set-default", true)) {
    call.exportVariable("JAVA_HOME", jdk.folder);
    call.addPath(join(jdk.folder, "bin"));
  }
  call.setOutput("distribution", distribution.folder);
  call.setOutput("path", jdk.folder);
  call.setOutput("version", jdk.version);
  call.exportVariable(`JAVA_HOME_${major}_${toolArchitecture(call).toUpperCase()}`, jdk.folder);
  call.log("Java configuration:");
  call.log(`  Distribution: ${distribution.name}`);
  call.log(`  Version: ${jdk.version}`);
  call.log(`  Path: ${jdk.folder}`);
}
