/** What Maven, Gradle and sbt have downloaded, from job to job. */
import { join } from "node:path";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { cacheAvailable, restoreCache, saveCache, type CacheQuestion } from "../cache/cache-entries.ts";
import { dependencyHash, nodeArchitecture, noDependencyFile } from "./package-cache.ts";
import { exists } from "./tool-cache.ts";

interface Kept {
  readonly name: string;
  readonly patterns: readonly string[];
  /** Below the home folder; what begins with an exclamation mark is left out. */
  readonly paths: readonly string[];
}

interface BuildTool extends Kept {
  /** Changes far more seldom, and so has a key of its own. */
  readonly wrapper?: Kept;
}

const gradlePatterns = [
  "**/*.gradle*",
  "**/gradle-wrapper.properties",
  "buildSrc/**/Versions.kt",
  "buildSrc/**/Dependencies.kt",
  "gradle/*.versions.toml",
  "**/versions.properties",
];

const sbt: BuildTool = {
  name: "sbt",
  patterns: ["**/*.sbt", "**/project/build.properties", "**/project/**.scala", "**/project/**.sbt"],
  paths: [".ivy2/cache", ".sbt", ".cache/coursier", "!.sbt/*.lock", "!**/ivydata-*.properties"],
};

/** Up to version 4 wrappers are not kept by themselves. */
const olderTools: readonly BuildTool[] = [
  { name: "maven", patterns: ["**/pom.xml"], paths: [".m2/repository"] },
  { name: "gradle", patterns: gradlePatterns, paths: [".gradle/caches", ".gradle/wrapper"] },
  sbt,
];

const toolsOf = (gradle: readonly string[]): readonly BuildTool[] => [
  {
    name: "maven",
    patterns: ["**/pom.xml", "**/.mvn/wrapper/maven-wrapper.properties", "**/.mvn/extensions.xml"],
    paths: [".m2/repository"],
    wrapper: {
      name: "maven-wrapper",
      patterns: ["**/.mvn/wrapper/maven-wrapper.properties"],
      paths: [".m2/wrapper/dists"],
    },
  },
  {
    name: "gradle",
    patterns: gradle,
    paths: [".gradle/caches"],
    wrapper: { name: "gradle-wrapper", patterns: ["**/gradle-wrapper.properties"], paths: [".gradle/wrapper"] },
  },
  sbt,
];

function toolsAt(major: number): readonly BuildTool[] {
  if (major < 5) return olderTools;
  return toolsOf(major < 6 ? gradlePatterns : [...gradlePatterns, "**/gradle.properties"]);
}

const keyState = "cache-primary-key";
const matchedState = "cache-matched-key";
const pathsState = "cache-paths";

export async function restoreJavaPackages(call: ActionCall): Promise<void> {
  if (!cacheAvailable(call)) {
    call.warn("The runner was not able to contact the cache service. Caching will be skipped");
    return;
  }
  const tool = toolOf(call);
  const given = call.list("cache-dependency-path");
  const patterns = given.length > 0 ? given : tool.patterns;
  const hash = dependencyHash(call, patterns);
  if (hash === "") throw noDependencyFile(call, patterns);
  const own = call.list("cache-path");
  const paths = own.length > 0 ? own : inHome(call, tool.paths);
  const key = keyOf(call, tool.name, hash);
  if (call.major > 4) call.setOutput("cache-primary-key", key);
  const matched = await restoreOne(call, { paths, key });
  call.setOutput("cache-hit", String(matched === key));
  call.log(matched === undefined ? `${tool.name} cache is not found` : `Cache restored from key: ${matched}`);
  if (tool.wrapper !== undefined) await restoreWrapper(call, tool.wrapper);
}

/** Most projects have none, or have it on their machines. */
async function restoreWrapper(call: ActionCall, wrapper: Kept): Promise<void> {
  const hash = dependencyHash(call, wrapper.patterns);
  if (hash === "") return;
  const question = { paths: inHome(call, wrapper.paths), key: keyOf(call, wrapper.name, hash) };
  const matched = await restoreOne(call, question, `-${wrapper.name}`);
  if (matched !== undefined) call.log(`${wrapper.name} cache restored from key: ${matched}`);
}

async function restoreOne(call: ActionCall, question: CacheQuestion, slot = ""): Promise<string | undefined> {
  call.saveState(keyState + slot, question.key);
  call.saveState(pathsState + slot, JSON.stringify(question.paths));
  const matched = await restoreCache(call, question);
  if (matched !== undefined) call.saveState(matchedState + slot, matched);
  return matched;
}

/** For the last stage. That nothing could be kept is no reason for a job to fail. */
export async function saveJavaPackages(call: ActionCall): Promise<void> {
  try {
    const { wrapper } = toolOf(call);
    if (wrapper !== undefined) await saveWrapper(call, wrapper);
    if (call.state(keyState) === "")
      call.warn("Error retrieving key from state: nothing was looked for, so nothing is kept");
    else await saveOne(call, "Cache", "");
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    call.warn(error.message);
  }
}

async function saveWrapper(call: ActionCall, { name }: Kept): Promise<void> {
  const slot = `-${name}`;
  if (call.state(keyState + slot) === "") return;
  const paths = JSON.parse(call.state(pathsState + slot)) as readonly string[];
  const present = await Promise.all(paths.map(exists));
  if (present.includes(true)) await saveOne(call, `${name} cache`, slot);
}

async function saveOne(call: ActionCall, what: string, slot: string): Promise<void> {
  const key = call.state(keyState + slot);
  if (call.state(matchedState + slot) === key) {
    call.log(
      `Cache hit occurred on the ${slot === "" ? "" : `${slot.slice(1)} `}primary key ${key}, not saving cache.`,
    );
    return;
  }
  const paths = JSON.parse(call.state(pathsState + slot)) as readonly string[];
  if ((await saveCache(call, { paths, key })) !== undefined) call.log(`${what} saved with the key: ${key}`);
}

function inHome(call: ActionCall, paths: readonly string[]): readonly string[] {
  const home = call.env("HOME");
  return paths.map((path) => (path.startsWith("!") ? `!${join(home, path.slice(1))}` : join(home, path)));
}

function toolOf(call: ActionCall): BuildTool {
  const name = call.text("cache");
  const found = toolsAt(call.major).find((tool) => tool.name === name);
  if (found === undefined) throw new StepFailure(`unknown package manager specified: ${name}`);
  return found;
}

function keyOf(call: ActionCall, name: string, hash: string): string {
  return `setup-java-${call.parts.runner.os}-${nodeArchitecture(call)}-${name}-${hash}`;
}
