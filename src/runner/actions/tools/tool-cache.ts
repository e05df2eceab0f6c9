/** RUNNER_TOOL_CACHE as GitHub's toolkit lays it out: `<tool>/<version>/<arch>`, with `<arch>.complete` beside it. */
import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import semver from "semver";
import type { ActionCall } from "../builtin-action.ts";

/** One version of a tool that is there. */
export interface Tool {
  readonly version: string;
  readonly folder: string;
  /** For people: "tool cache", "the machine's". */
  readonly where: string;
}

export function toolArchitecture(call: ActionCall): string {
  return call.text("architecture") || (call.parts.runner.arch === "ARM64" ? "arm64" : "x64");
}

/** @param asSemver what a folder's name means as a version */
export async function cachedTools(
  call: ActionCall,
  tool: string,
  arch: string,
  asSemver: (name: string) => string = (name) => name,
): Promise<readonly Tool[]> {
  const root = join(call.parts.folders.toolCache, tool);
  const found: Tool[] = [];
  for (const name of await readdir(root).catch((): string[] => [])) {
    const version = asSemver(name);
    const folder = join(root, name, arch);
    if (semver.valid(version) === null || !(await exists(`${folder}.complete`))) continue;
    found.push({ version, folder, where: "tool cache" });
  }
  return found.sort((a, b) => semver.compareBuild(b.version, a.version));
}

/** For messages: `3.11.2 (the machine's), 3.12.4 (tool cache)`. */
export function listTools(tools: readonly Tool[]): string {
  return tools.length === 0 ? "none" : tools.map((tool) => `${tool.version} (${tool.where})`).join(", ");
}

export async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
