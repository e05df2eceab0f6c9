/** What Maven, Gradle and sbt have downloaded, from job to job. */
import { join } from "node:path";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { dependencyHash, nodeArchitecture, noDependencyFile, restorePackages, savePackages } from "./package-cache.ts";

interface Kept {
  readonly name: string;
  readonly patterns: readonly string[];
  /** Below the home folder. */
  readonly paths: readonly string[];
}

interface BuildTool extends Kept {
  /** Changes far more seldom, and so has a key of its own. */
  readonly wrapper?: Kept;
}

const tools: readonly BuildTool[] = [
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
    patterns: [
      "**/*.gradle*",
      "**/gradle.properties",
      "**/gradle-wrapper.properties",
      "buildSrc/**/Versions.kt",
      "buildSrc/**/Dependencies.kt",
      "gradle/*.versions.toml",
      "**/versions.properties",
    ],
    paths: [".gradle/caches"],
    wrapper: { name: "gradle-wrapper", patterns: ["**/gradle-wrapper.properties"], paths: [".gradle/wrapper"] },
  },
  {
    name: "sbt",
    patterns: ["**/*.sbt", "**/project/build.properties", "**/project/**.scala", "**/project/**.sbt"],
    paths: [".ivy2/cache", ".sbt", ".cache/coursier"],
  },
];

export async function restoreJavaPackages(call: ActionCall): Promise<void> {
  const tool = toolOf(call);
  const given = call.list("cache-dependency-path");
  const patterns = given.length > 0 ? given : tool.patterns;
  const hash = dependencyHash(call, patterns);
  if (hash === "") throw noDependencyFile(call, patterns);
  const own = call.list("cache-path");
  const paths = own.length > 0 ? own : tool.paths.map((path) => join(call.env("HOME"), path));
  const key = keyOf(call, tool.name, hash);
  call.setOutput("cache-primary-key", key);
  call.setOutput("cache-hit", String(await restorePackages(call, { name: tool.name, paths, key })));
  const { wrapper } = tool;
  const wrapperHash = wrapper === undefined ? "" : dependencyHash(call, wrapper.patterns);
  if (wrapper === undefined || wrapperHash === "") return;
  const wrapperPaths = wrapper.paths.map((path) => join(call.env("HOME"), path));
  const wrapperKey = keyOf(call, wrapper.name, wrapperHash);
  await restorePackages(call, { name: wrapper.name, paths: wrapperPaths, key: wrapperKey }, `-${wrapper.name}`);
}

export async function saveJavaPackages(call: ActionCall): Promise<void> {
  const { name, wrapper } = toolOf(call);
  await savePackages(call, name);
  if (wrapper !== undefined) await savePackages(call, wrapper.name, `-${wrapper.name}`);
}

function toolOf(call: ActionCall): BuildTool {
  const name = call.text("cache");
  const found = tools.find((tool) => tool.name === name);
  if (found === undefined) throw new StepFailure(`unknown package manager specified: ${name}`);
  return found;
}

function keyOf(call: ActionCall, name: string, hash: string): string {
  return `setup-java-${call.parts.runner.os}-${nodeArchitecture(call)}-${name}-${hash}`;
}
