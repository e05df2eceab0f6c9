/**
 * Applies one image layer to a tree (image-spec 1.1, "Applying changesets"). The archive is not trusted: no entry
 * leaves the tree, special files are left out, and the size is bounded.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, chown, lchown, link, lstat, mkdir, readdir, rm, symlink } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract, type ExtractEvents, type Header } from "tar-stream";
import { errorCode } from "#lib";
import { RuntimeError } from "../errors.ts";
import type { ImageLayer } from "../ports.ts";
import { confinedLinkTarget, resolveInTree, treeParts } from "./tree-path.ts";

/** What is left to unpack; shared by the layers of an image and counted down. */
export interface UnpackBudget {
  bytes: number;
  entries: number;
}

/** How files of an image are written down. */
export interface UnpackOptions {
  /**
   * With their owners and modes as the archive has them, for containers that get the tree as their root file system.
   * Takes root. Otherwise they are ours, and read-only, since pods share them.
   */
  readonly keepOwners: boolean;
}

type Entry = ExtractEvents["entry"][1];

const whiteout = ".wh.";
const opaque = ".wh..wh..opq";

/** @param diffId digest of the uncompressed archive, checked when known */
export async function unpackLayer(
  root: string,
  layer: ImageLayer,
  diffId: string | undefined,
  budget: UnpackBudget,
  options: UnpackOptions,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash("sha256");
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      budget.bytes -= chunk.length;
      done(budget.bytes < 0 ? tooLarge(layer) : null, chunk);
    },
  });
  const archive = extract();
  const reading = pipeline(createReadStream(layer.path), decompressor(layer.mediaType), counted, archive, { signal });
  // Awaited below; until then a failure must not count as unhandled.
  reading.catch(() => {});
  const written = new Set<string>();
  try {
    for await (const entry of archive) {
      if (--budget.entries < 0) throw tooLarge(layer);
      await applyEntry(root, layer, entry, written, options);
    }
    await reading;
  } catch (error) {
    archive.destroy();
    signal.throwIfAborted();
    if (error instanceof RuntimeError) throw error;
    throw new RuntimeError("runtime/bad-layer", `Cannot unpack layer "${layer.digest}"`, { cause: error });
  }
  if (diffId !== undefined && diffId.startsWith("sha256:") && diffId !== `sha256:${hash.digest("hex")}`) {
    throw new RuntimeError(
      "runtime/bad-layer",
      `Cannot unpack layer "${layer.digest}": its content is not "${diffId}"`,
    );
  }
}

function decompressor(mediaType: string): Transform {
  if (mediaType.endsWith("gzip")) return createGunzip();
  if (mediaType.endsWith("zstd")) return createZstdDecompress();
  return new PassThrough();
}

async function applyEntry(
  root: string,
  layer: ImageLayer,
  entry: Entry,
  written: Set<string>,
  options: UnpackOptions,
): Promise<void> {
  const header = entry.header;
  const parts = treeParts(header.name);
  const name = parts.at(-1);
  if (name === undefined) {
    entry.resume();
    return;
  }
  const parent = await resolveInTree(root, parts.slice(0, -1).join("/"), true);
  if (parent === undefined) throw badEntry(layer, header.name, "its folder is a loop of symbolic links");
  await makeFolders(root, parent);
  if (name === opaque) await hideAll(parent, written);
  else if (name.startsWith(whiteout)) await hideOne(layer, parent, name.slice(whiteout.length));
  else await writeEntry(root, layer, entry, join(parent, name), parts, options);
  if (!name.startsWith(whiteout)) remember(root, join(parent, name), written);
  entry.resume();
}

/** Paths written by this layer, with the folders above them: an opaque whiteout hides lower layers only. */
function remember(root: string, path: string, written: Set<string>): void {
  for (let at = path; at.length > root.length && !written.has(at); at = dirname(at)) written.add(at);
}

async function hideOne(layer: ImageLayer, folder: string, name: string): Promise<void> {
  if (name === "" || name === "." || name === "..") throw badEntry(layer, name, "it hides no name");
  await rm(join(folder, name), { recursive: true, force: true });
}

async function hideAll(folder: string, written: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!written.has(path)) await rm(path, { recursive: true, force: true });
  }
}

async function makeFolders(root: string, folder: string): Promise<void> {
  const missing: string[] = [];
  for (let at = folder; at !== root && at.startsWith(root + sep); at = dirname(at)) {
    const kind = await kindOf(at);
    if (kind === "folder") break;
    if (kind === "other") await rm(at, { force: true });
    missing.unshift(at);
  }
  for (const path of missing) await mkdir(path, { recursive: true, mode: 0o755 });
}

async function writeEntry(
  root: string,
  layer: ImageLayer,
  entry: Entry,
  path: string,
  parts: string[],
  options: UnpackOptions,
): Promise<void> {
  const header = entry.header;
  const mode = header.mode & 0o777;
  if (header.type === "directory") {
    if ((await kindOf(path)) === "other") await rm(path, { force: true });
    await mkdir(path, { recursive: true });
    if (options.keepOwners) await chown(path, header.uid, header.gid);
    // We must be able to write below it and to remove it again.
    await chmod(path, options.keepOwners ? header.mode & 0o7777 : mode | 0o700);
    return;
  }
  if (!isFileLike(header.type)) return;
  await rm(path, { recursive: true, force: true });
  if (header.type === "symlink") await symlink(confinedLinkTarget(parts, header.linkname), path);
  else if (header.type === "link") await hardLink(root, layer, header, path);
  else await pipeline(entry, createWriteStream(path, { mode: readOnlyMode(mode), flags: "wx" }));
  if (!options.keepOwners || header.type === "link") return;
  await lchown(path, header.uid, header.gid);
  // After the owner, whose change takes the set-uid bits away.
  if (header.type !== "symlink") await chmod(path, header.mode & 0o7777);
}

/** Devices, pipes and the like mean nothing to a process without a file system of its own. */
function isFileLike(type: Header["type"]): boolean {
  return type === "file" || type === "contiguous-file" || type === "symlink" || type === "link";
}

/** Files of an image that pods share by links are not writable; see `link-tree.ts`. */
function readOnlyMode(mode: number): number {
  return (mode & 0o555) | 0o400;
}

async function hardLink(root: string, layer: ImageLayer, header: Header, path: string): Promise<void> {
  const target = await resolveInTree(root, header.linkname, false);
  if (target === undefined || (await kindOf(target)) !== "other") {
    throw badEntry(layer, header.name, `its hard link target "${header.linkname}" is no file of the image`);
  }
  await link(target, path);
}

async function kindOf(path: string): Promise<"folder" | "other" | undefined> {
  try {
    return (await lstat(path)).isDirectory() ? "folder" : "other";
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function tooLarge(layer: ImageLayer): RuntimeError {
  const message = `Cannot unpack layer "${layer.digest}": the image is over the size limit`;
  return new RuntimeError("runtime/layer-too-large", message);
}

function badEntry(layer: ImageLayer, entry: string, why: string): RuntimeError {
  const message = `Cannot unpack "${basename(entry)}" of layer "${layer.digest}": ${why}`;
  return new RuntimeError("runtime/bad-layer", message);
}
