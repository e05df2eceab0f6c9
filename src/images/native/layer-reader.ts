/** Reads layers: their member lists (kept beside the blob, since a base layer never changes) and single contents. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { errorCode, systemIds, writeFileAtomic } from "#lib";
import { extract, type Header } from "tar-stream";
import { ImageError } from "../errors.ts";
import { normalPath, type Content, type LayerMember, type TreeNode } from "./tree.ts";

/** More members than any real layer has; each costs about 200 bytes of memory. */
const maxMembers = 1_000_000;

type Compression = "none" | "gzip" | "zstd" | "bzip2" | "xz";

/** By the first bytes, as registries and authors do not always say it right. */
async function compressionOf(path: string): Promise<Compression> {
  const file = await open(path, "r");
  try {
    const head = Buffer.alloc(6);
    await file.read(head, 0, 6, 0);
    if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
    if (head.readUInt32LE(0) === 0xfd2fb528) return "zstd";
    if (head.subarray(0, 3).toString("latin1") === "BZh") return "bzip2";
    if (head.equals(Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]))) return "xz";
    return "none";
  } finally {
    await file.close();
  }
}

/** Whether the file is a tar, possibly compressed: what `ADD` unpacks. */
export async function isTar(path: string, size: number): Promise<boolean> {
  const compression = await compressionOf(path);
  if (compression === "bzip2" || compression === "xz") return true;
  if (size < 512 && compression === "none") return false;
  const stream = decompressed(path, compression);
  try {
    let head = Buffer.alloc(0);
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= 512) break;
    }
    return head.length >= 512 && head.subarray(257, 262).toString("latin1") === "ustar";
  } catch {
    return false;
  } finally {
    stream.destroy();
  }
}

function decompressed(path: string, compression: Compression): Readable {
  const raw = createReadStream(path);
  if (compression === "none") return raw;
  if (compression !== "gzip" && compression !== "zstd") {
    raw.destroy();
    throw new ImageError("images/too-large", `Cannot unpack "${path}": ${compression} is not supported, use gzip`);
  }
  const unzip = compression === "gzip" ? createGunzip() : createZstdDecompress();
  raw.on("error", (error) => unzip.destroy(error));
  unzip.on("close", () => raw.destroy());
  return raw.pipe(unzip);
}

/** Calls `visit` for each member in order; a member's stream is drained when `visit` did not read it. */
async function eachMember(
  path: string,
  visit: (header: Header, stream: AsyncIterable<Uint8Array>) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const reader = extract();
  const fed = pipeline(decompressed(path, await compressionOf(path)), reader, { signal });
  const read = (async () => {
    for await (const entry of reader) {
      signal.throwIfAborted();
      await visit(entry.header, entry as AsyncIterable<Uint8Array>);
      entry.resume();
    }
  })();
  await Promise.all([fed, read]);
}

/** The members of a tar whose contents stay in `layer`. */
export async function readMembers(path: string, layer: string, signal: AbortSignal): Promise<LayerMember[]> {
  const members: LayerMember[] = [];
  await eachMember(
    path,
    async (header) => {
      if (members.length >= maxMembers) {
        throw new ImageError("images/too-large", `Cannot read layer "${layer}": it has over ${maxMembers} members`);
      }
      const member = memberOf(header, layer);
      if (member !== undefined) members.push(member);
    },
    signal,
  );
  return members;
}

function memberOf(header: Header, layer: string): LayerMember | undefined {
  const path = normalPath(header.name);
  const slash = path.lastIndexOf("/");
  const parent = slash === -1 ? "" : path.slice(0, slash);
  const base = path.slice(slash + 1);
  if (base === ".wh..wh..opq") return { kind: "opaque", path: parent };
  if (base.startsWith(".wh.")) {
    const name = base.slice(4);
    return { kind: "whiteout", path: parent === "" ? name : `${parent}/${name}` };
  }
  if (header.type === "link") return { kind: "hardlink", path, target: normalPath(header.linkname ?? "") };
  const node = nodeOf(header, { kind: "layer", layer, name: header.name });
  return node === undefined || path === "" ? undefined : { kind: "node", path, node };
}

function nodeOf(header: Header, content: Content): TreeNode | undefined {
  const attributes = { mode: header.mode ?? 0o644, uid: header.uid ?? 0, gid: header.gid ?? 0 };
  switch (header.type) {
    case "directory":
      return { ...attributes, kind: "directory" };
    case "symlink":
      return { ...attributes, kind: "symlink", target: header.linkname ?? "" };
    case "file":
    case "contiguous-file":
    case undefined:
    case null:
      return { ...attributes, kind: "file", size: header.size ?? 0, content };
    default:
      // Devices and pipes of a base image stay in its layer; nothing copies them.
      return undefined;
  }
}

/** `readMembers` with the answer kept in `indexFolder`, named by the layer's digest. */
export async function indexLayer(
  path: string,
  digest: string,
  indexFolder: string,
  signal: AbortSignal,
): Promise<LayerMember[]> {
  const kept = join(indexFolder, `${digest.replace(":", "-")}.json`);
  try {
    return JSON.parse(await readFile(kept, "utf8")) as LayerMember[];
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && !(error instanceof SyntaxError)) throw error;
  }
  const members = await readMembers(path, digest, signal);
  await writeFileAtomic(kept, JSON.stringify(members));
  return members;
}

/** Writes the named members' contents into `folder` and says where each is. */
export async function extractContents(
  path: string,
  names: ReadonlySet<string>,
  folder: string,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  await mkdir(folder, { recursive: true });
  const found = new Map<string, string>();
  await eachMember(
    path,
    async (header, stream) => {
      if (!names.has(header.name)) return;
      const target = join(folder, systemIds.suffix(16));
      await pipeline(stream, createWriteStream(target));
      found.set(header.name, target);
    },
    signal,
  );
  return found;
}
