/** The archive of a cache, as the official action makes it: what one of both saved, the other restores. */
import { createHash } from "node:crypto";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { findProgram } from "#lib";
import { StepFailure } from "../../errors.ts";
import type { ActionCall } from "../builtin-action.ts";
import { glob } from "../files/glob.ts";
import { patternPlace } from "../files/place.ts";

/** Part of the version, so that whoever cannot unpack an archive does not find it. */
type Compression = "gzip" | "zstd-without-long";

const fileNames: Readonly<Record<Compression, string>> = { gzip: "cache.tgz", "zstd-without-long": "cache.tzst" };

/** Part of the version of every entry of the official clients. */
const versionSalt = "1.0";

export function compressionOf(call: ActionCall): Compression {
  return program(call, "zstd") === undefined ? "gzip" : "zstd-without-long";
}

/** Entries are found only by those who ask for the same paths in the same words. */
export function cacheVersion(paths: readonly string[], compression: Compression): string {
  return createHash("sha256")
    .update([...paths, compression, versionSalt].join("|"))
    .digest("hex");
}

/** What the patterns match, relative to the workspace; folders stand for all below them. */
export async function matchedPaths(call: ActionCall, patterns: readonly string[]): Promise<readonly string[]> {
  const { workspace } = call.parts.folders;
  const { paths } = await glob(patterns, { ...patternPlace(call), descendants: false });
  return paths.map((path) => relative(workspace, path) || ".");
}

/** A folder of its own for an archive, gone when it is disposed. */
export async function archiveFolder(call: ActionCall): Promise<AsyncDisposable & { readonly path: string }> {
  const path = join(call.parts.folders.temp, call.parts.ids.uuid());
  await mkdir(path, { recursive: true });
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}

export async function packCache(
  call: ActionCall,
  folder: string,
  paths: readonly string[],
  compression: Compression,
): Promise<string> {
  const name = fileNames[compression];
  // A path that begins with a dash must not be taken for an option of tar.
  const lines = paths.map((path) => (path.startsWith("-") ? `./${path}` : path));
  if (lines.some((line) => line.includes("\n"))) throw new StepFailure("A path with a line end cannot be cached");
  await writeFile(join(folder, "manifest.txt"), lines.join("\n"));
  const { workspace } = call.parts.folders;
  const files = ["--exclude", name, "-P", "-C", workspace, "--files-from", "manifest.txt"];
  const packer = compression === "gzip" ? ["-z"] : ["--use-compress-program", "zstdmt"];
  await runTar(call, folder, ["--posix", "-cf", name, ...files, ...packer]);
  return join(folder, name);
}

export async function unpackCache(call: ActionCall, archive: string, compression: Compression): Promise<void> {
  const { workspace } = call.parts.folders;
  await mkdir(workspace, { recursive: true });
  const unpacker = compression === "gzip" ? ["-z"] : ["--use-compress-program", "unzstd"];
  await runTar(call, workspace, ["-xf", archive, "-P", "-C", workspace, ...unpacker]);
}

async function runTar(call: ActionCall, cwd: string, args: readonly string[]): Promise<void> {
  const tar = program(call, "tar");
  if (tar === undefined) throw new StepFailure("Caches need the program tar, which is not on the PATH: install it");
  call.log(`[command]${tar} ${args.join(" ")}`);
  const { exitCode } = await call.try(tar, args, { cwd });
  if (exitCode !== 0) {
    throw new StepFailure(`${tar} failed with error: The process '${tar}' failed with exit code ${exitCode}`);
  }
}

function program(call: ActionCall, name: string): string | undefined {
  return findProgram(name, call.step.scope.job.searchPath(), call.parts.folders.workspace);
}
