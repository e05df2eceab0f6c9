/** Saves and restores entries of the cache, with what the official client says and where it gives in. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isAbort } from "#lib";
import { StepFailure, StepStopped } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { JobServices, ServiceRefusal } from "../services/job-services.ts";
import { archiveFolder, cacheVersion, compressionOf, matchedPaths, packCache, unpackCache } from "./cache-archive.ts";

export interface CacheQuestion {
  /** Patterns, in the words in which they are saved too. */
  readonly paths: readonly string[];
  readonly key: string;
  readonly restoreKeys?: readonly string[];
  /** Only says whether there is one. */
  readonly lookupOnly?: boolean;
}

/** The input itself is wrong: the step fails. Anything else about a cache is a warning, for it is only a help. */
class CacheInputFailure extends StepFailure {}

export function cacheAvailable(call: ActionCall): boolean {
  return JobServices.of(call) !== undefined;
}

/** The key that was found; undefined when none was, or when it could not be brought. */
export async function restoreCache(call: ActionCall, question: CacheQuestion): Promise<string | undefined> {
  const keys = [question.key, ...(question.restoreKeys ?? [])];
  requirePaths(question.paths);
  if (keys.length > 10) throw new CacheInputFailure("Key Validation Error: Keys are limited to a maximum of 10.");
  for (const key of keys) requireKey(key);
  return await forgiving(call, "restore", async () => await find(call, question));
}

async function find(call: ActionCall, { paths, key, restoreKeys = [], lookupOnly }: CacheQuestion) {
  const services = JobServices.of(call);
  if (services === undefined) return undefined;
  const compression = compressionOf(call);
  const version = cacheVersion(paths, compression);
  const answer = await services.twirp("CacheService", "GetCacheEntryDownloadURL", {
    key,
    restore_keys: restoreKeys,
    version,
  });
  const { ok, matched_key: matched, signed_download_url: url } = answer;
  if (ok !== true || typeof matched !== "string" || typeof url !== "string") return undefined;
  call.log(matched === key ? `Cache hit for: ${matched}` : `Cache hit for restore-key: ${matched}`);
  if (lookupOnly === true) {
    call.log("Lookup only - skipping download");
    return matched;
  }
  await using folder = await archiveFolder(call);
  const archive = join(folder.path, "archive");
  const { size } = await services.download(url, archive);
  call.log(`Cache Size: ~${Math.round(size / 1024 ** 2)} MB (${size} B)`);
  await unpackCache(call, archive, compression);
  call.log("Cache restored successfully");
  return matched;
}

/** The id of the new entry; undefined when there is none, and the log says why. */
export async function saveCache(
  call: ActionCall,
  { paths, key }: Pick<CacheQuestion, "paths" | "key">,
): Promise<string | undefined> {
  requirePaths(paths);
  requireKey(key);
  const matched = await matchedPaths(call, paths);
  if (matched.length === 0) {
    const text = "Path(s) specified in the action for caching do(es) not exist, hence no cache is being saved.";
    throw new CacheInputFailure(`Path Validation Error: ${text}`);
  }
  return await forgiving(call, "save", async () => await pack(call, paths, key, matched));
}

async function pack(
  call: ActionCall,
  paths: readonly string[],
  key: string,
  matched: readonly string[],
): Promise<string | undefined> {
  const services = JobServices.of(call);
  if (services === undefined) return undefined;
  const compression = compressionOf(call);
  await using folder = await archiveFolder(call);
  const archive = await packCache(call, folder.path, matched, compression);
  const { size } = await stat(archive);
  const version = cacheVersion(paths, compression);
  const url = await reserve(services, key, version);
  if (typeof url !== "string") {
    call.log(`Failed to save: Unable to reserve cache with key ${key}, ${url.reason}`);
    return undefined;
  }
  await services.upload(url, archive, "application/octet-stream");
  call.log(`Sent ${size} of ${size} (100.0%)`);
  const { entry_id: id } = await services.twirp("CacheService", "FinalizeCacheEntryUpload", {
    key,
    version,
    size_bytes: String(size),
  });
  return typeof id === "string" ? id : undefined;
}

async function reserve(
  services: JobServices,
  key: string,
  version: string,
): Promise<string | { readonly reason: string }> {
  const taken = "another job may be creating this cache.";
  try {
    const { ok, signed_upload_url: url } = await services.twirp("CacheService", "CreateCacheEntry", { key, version });
    return ok === true && typeof url === "string" ? url : { reason: taken };
  } catch (error) {
    if (!(error instanceof ServiceRefusal)) throw error;
    return { reason: error.status === 409 ? taken : error.message };
  }
}

async function forgiving<T>(call: ActionCall, verb: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CacheInputFailure || error instanceof StepStopped || isAbort(error)) throw error;
    const message = `Failed to ${verb}: ${error instanceof Error ? error.message : String(error)}`;
    if (error instanceof ServiceRefusal && error.status >= 500) call.step.output.error(message);
    else call.warn(message);
    return undefined;
  }
}

function requirePaths(paths: readonly string[]): void {
  if (paths.length > 0) return;
  throw new CacheInputFailure("Path Validation Error: At least one directory or file path is required");
}

function requireKey(key: string): void {
  if (key.length > 512)
    throw new CacheInputFailure(`Key Validation Error: ${key} cannot be larger than 512 characters.`);
  if (key.includes(",")) throw new CacheInputFailure(`Key Validation Error: ${key} cannot contain commas.`);
}
