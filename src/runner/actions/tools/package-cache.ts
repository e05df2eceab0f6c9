/** What package managers have downloaded, kept from job to job, by the keys of the official setup actions. */
import { isAbsolute, join } from "node:path";
import { StepFailure } from "../../errors.ts";
import { hashFiles } from "../../steps/hash-files.ts";
import type { ActionCall } from "../builtin-action.ts";
import { cacheAvailable, restoreCache, saveCache } from "../cache/cache-entries.ts";
import { exists } from "./tool-cache.ts";

export interface PackageCache {
  /** For people: `pip`, `maven`. */
  readonly name: string;
  /** Folders. */
  readonly paths: readonly string[];
  readonly key: string;
  readonly restoreKeys?: readonly string[];
}

const keyState = "cache-primary-key";
const matchedState = "cache-matched-key";
const pathsState = "cache-paths";

/** Empty when no file matches. */
export function dependencyHash(call: ActionCall, patterns: readonly string[]): string {
  return hashFiles(call.parts.folders.workspace, patterns);
}

export function noDependencyFile(call: ActionCall, patterns: readonly string[]): StepFailure {
  const where = call.parts.folders.workspace;
  return new StepFailure(
    `No file in ${where} matched to [${patterns.join(",")}], make sure you have checked out the target repository`,
  );
}

export async function restorePackages(call: ActionCall, cache: PackageCache): Promise<boolean> {
  if (!cacheAvailable(call)) {
    call.warn("The runner was not able to contact the cache service. Caching will be skipped");
    return false;
  }
  call.saveState(pathsState, JSON.stringify(cache.paths));
  call.saveState(keyState, cache.key);
  const matched = await restoreCache(call, cache);
  if (matched === undefined) call.log(`${cache.name} cache is not found`);
  else {
    call.saveState(matchedState, matched);
    call.log(`Cache restored from key: ${matched}`);
  }
  return matched === cache.key;
}

/** For the last stage; whether there was a cache at all is in the state. */
export async function savePackages(call: ActionCall, name: string): Promise<void> {
  const key = call.state(keyState);
  if (key === "") return;
  if (call.state(matchedState) === key) {
    call.log(`Cache hit occurred on the primary key ${key}, not saving cache.`);
    return;
  }
  const paths = JSON.parse(call.state(pathsState)) as readonly string[];
  const present = await Promise.all(paths.map(async (path) => await exists(whole(call, path))));
  if (!present.includes(true)) {
    call.log(
      `[warning]Cache folder path is retrieved for ${name} but doesn't exist on disk: ${paths.join(", ")}. There is nothing to cache`,
    );
    return;
  }
  try {
    if ((await saveCache(call, { paths, key })) !== undefined) call.log(`Cache saved with the key: ${key}`);
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    call.log(`[warning]${error.message}`);
  }
}

function whole(call: ActionCall, path: string): string {
  const home = path.startsWith("~/") ? join(call.env("HOME"), path.slice(2)) : path;
  return isAbsolute(home) ? home : join(call.parts.folders.workspace, home);
}

/** `x64`, as Node names the machine in keys. */
export function nodeArchitecture(call: ActionCall): string {
  return call.parts.runner.arch === "ARM64" ? "arm64" : "x64";
}
