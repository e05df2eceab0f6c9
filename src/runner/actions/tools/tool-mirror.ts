/**
 * Versions that the machine does not have, from a place of yours. The variable TIDEGATE_TOOL_MIRROR names it, and
 * `<mirror>/<tool>/versions.json` lists `{ version, arch, file, sha256 }`; files are `.tar.gz` whose content, or whose
 * one folder, is what belongs into the tool cache.
 */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import semver from "semver";
import { isObject, withDeadline } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import type { Tool } from "./tool-cache.ts";

export interface ToolRelease {
  readonly version: string;
  readonly url: string;
  readonly sha256: string;
}

const listMs = 30_000;
const downloadMs = 1_800_000;
const maxListBytes = 32 * 1024 * 1024;
const maxArchiveBytes = 4 * 1024 ** 3;

const mirrorVariable = "TIDEGATE_TOOL_MIRROR";

/** What to do about a version that is not there, for the end of a message. */
export function toolRemedy(call: ActionCall, tool: string, arch: string): string {
  const folder = join(call.parts.folders.toolCache, tool);
  return `ask for one of these, put another into the tool cache at "${folder}/<version>/${arch}" with an empty file "${arch}.complete" beside it, or name a download mirror in the variable ${mirrorVariable}`;
}

/** The newest release of the mirror that fits; undefined when there is none, or no mirror. */
export async function mirroredRelease(
  call: ActionCall,
  tool: string,
  arch: string,
  fits: (version: string) => boolean,
): Promise<ToolRelease | undefined> {
  const { vars } = call.parts.assignment.contexts;
  const configured = vars[mirrorVariable];
  const mirror = call.env(mirrorVariable) || (typeof configured === "string" ? configured : "");
  if (mirror === "") return undefined;
  const base = `${mirror.replace(/\/+$/, "")}/${encodeURIComponent(tool)}/`;
  const list = await fetchJson(call, `${base}versions.json`);
  if (list === undefined) return undefined;
  const releases = (Array.isArray(list) ? list : []).filter(isObject).flatMap((entry): ToolRelease[] => {
    const { version, file, sha256 } = entry;
    if (typeof version !== "string" || typeof file !== "string" || typeof sha256 !== "string") return [];
    if (entry["arch"] !== arch || semver.valid(version) === null || !fits(version)) return [];
    return [{ version, url: new URL(file, base).href, sha256 }];
  });
  return releases.sort((a, b) => semver.compareBuild(b.version, a.version))[0];
}

/** Undefined for 404. */
export async function fetchJson(call: ActionCall, url: string): Promise<unknown> {
  const response = await fetch(url, { signal: withDeadline(call.step.stop, listMs) }).catch((error: unknown) => {
    call.step.stop.throwIfAborted();
    throw new StepFailure(`Cannot read "${url}": ${reasonOf(error)}`, error);
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new StepFailure(`Cannot read "${url}": it answered ${response.status}`);
  const text = await response.text();
  if (text.length > maxListBytes) throw new StepFailure(`Cannot read "${url}": it is larger than is read`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new StepFailure(`Cannot read "${url}": it is not JSON`);
  }
}

/** Downloads, checks, unpacks. The version is in the cache whole or not at all. */
export async function installTool(
  call: ActionCall,
  tool: string,
  arch: string,
  release: ToolRelease,
  folderName = release.version,
): Promise<Tool> {
  const target = join(call.parts.folders.toolCache, tool, folderName, arch);
  const work = join(call.parts.folders.toolCache, `.incoming-${call.parts.ids.uuid()}`);
  await mkdir(work, { recursive: true });
  try {
    const archive = join(work, "archive.tar.gz");
    call.log(`Downloading ${tool} ${release.version} from ${release.url}`);
    const digest = await download(call, release.url, archive);
    if (digest !== release.sha256.toLowerCase()) {
      throw new StepFailure(`Refused ${release.url}: its SHA-256 is ${digest}, not ${release.sha256} as the list says`);
    }
    const content = join(work, "content");
    await mkdir(content);
    await call.run("tar", ["-xzf", archive, "-C", content], { quiet: true });
    await adopt(await rootOf(content), target);
    return { version: release.version, folder: target, where: "downloaded" };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function adopt(from: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  // Two jobs may bring the same version at once: whoever comes second finds it there.
  await rename(from, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  });
  await writeFile(`${target}.complete`, "");
}

/** Archives of Go and Java have one folder around everything. */
async function rootOf(folder: string): Promise<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  const [only] = entries;
  return entries.length === 1 && only?.isDirectory() === true && only.name !== "bin" ? join(folder, only.name) : folder;
}

async function download(call: ActionCall, url: string, file: string): Promise<string> {
  const signal = withDeadline(call.step.stop, downloadMs);
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    call.step.stop.throwIfAborted();
    throw new StepFailure(`Cannot download "${url}": ${reasonOf(error)}`, error);
  });
  if (!response.ok || response.body === null) {
    throw new StepFailure(`Cannot download "${url}": it answered ${response.status}`);
  }
  const hash = createHash("sha256");
  let size = 0;
  const counted = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > maxArchiveBytes) throw new StepFailure(`Refused "${url}": it is over ${maxArchiveBytes} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  };
  await pipeline(Readable.fromWeb(response.body), counted, createWriteStream(file), { signal });
  return hash.digest("hex");
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
