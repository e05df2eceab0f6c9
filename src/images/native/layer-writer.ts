/**
 * Writes a layer so that the same nodes give the same bytes: sorted, one modification time, no names of users, a fixed
 * gzip level. (The gzip bytes still depend on the zlib of the Node that runs; the diff ID does not.)
 */
import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { systemIds } from "#lib";
import { pack, type Pack } from "tar-stream";
import type { TreeNode } from "./tree.ts";

export interface WrittenLayer {
  /** Of the compressed bytes. */
  readonly digest: string;
  readonly size: number;
  /** Of the tar. */
  readonly diffId: string;
  readonly path: string;
  readonly mediaType: string;
}

const layerMediaType = "application/vnd.oci.image.layer.v1.tar+gzip";

export interface LayerWriterOptions {
  readonly blobsFolder: string;
  readonly mtimeSeconds: number;
  readonly signal: AbortSignal;
}

/** Contents must be on disk or in memory. */
export async function writeLayer(
  nodes: ReadonlyMap<string, TreeNode>,
  options: LayerWriterOptions,
): Promise<WrittenLayer> {
  await mkdir(options.blobsFolder, { recursive: true });
  const draft = join(options.blobsFolder, `draft-${systemIds.suffix(12)}`);
  const plain = createHash("sha256");
  const compressed = createHash("sha256");
  const archive = pack();
  try {
    const written = pipeline(
      archive,
      hashing(plain),
      createGzip({ level: 6 }),
      hashing(compressed),
      createWriteStream(draft),
      { signal: options.signal },
    );
    const filled = addEntries(archive, nodes, options.mtimeSeconds).catch((error: unknown) => {
      archive.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    });
    await Promise.all([filled, written]);
    const digest = `sha256:${compressed.digest("hex")}`;
    const path = blobPath(options.blobsFolder, digest);
    const { size } = await stat(draft);
    await rename(draft, path);
    return { digest, size, diffId: `sha256:${plain.digest("hex")}`, path, mediaType: layerMediaType };
  } finally {
    await rm(draft, { force: true });
  }
}

/** `sha256:abc` → `<folder>/sha256-abc`. */
export function blobPath(blobsFolder: string, digest: string): string {
  return join(blobsFolder, digest.replace(":", "-"));
}

function hashing(hash: Hash): Transform {
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
}

async function addEntries(archive: Pack, nodes: ReadonlyMap<string, TreeNode>, mtimeSeconds: number): Promise<void> {
  const mtime = new Date(mtimeSeconds * 1000);
  for (const path of [...nodes.keys()].sort()) {
    const node = nodes.get(path);
    if (node === undefined || path === "") continue;
    const common = { mode: node.mode & 0o7777, uid: node.uid, gid: node.gid, mtime, uname: "", gname: "" };
    if (node.kind === "directory") await addWhole(archive, { ...common, name: `${path}/`, type: "directory" as const });
    else if (node.kind === "symlink") {
      await addWhole(archive, { ...common, name: path, type: "symlink" as const, linkname: node.target });
    } else if (node.content.kind === "bytes") {
      const data = Buffer.from(node.content.data);
      await addWhole(archive, { ...common, name: path, type: "file" as const, size: data.length }, data);
    } else if (node.content.kind === "disk") {
      // A size that changed since the walk would break the tar: the pack stream then reports a size mismatch.
      const entry = archive.entry({ ...common, name: path, type: "file" as const, size: node.size });
      await pipeline(createReadStream(node.content.path), entry);
    } else throw new Error(`Layer content of "${path}" was not fetched`);
  }
  archive.finalize();
}

async function addWhole(archive: Pack, header: Parameters<Pack["entry"]>[0], data?: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const done = (error?: Error | null): void => (error === null || error === undefined ? resolve() : reject(error));
    if (data === undefined) archive.entry(header, done);
    else archive.entry(header, data, done);
  });
}
