/** Images for tests, made of files in memory. */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import type { ImageConfig, ImageLayer, ImageSourcePort, ResolvedImage } from "./ports.ts";

export interface TarEntry {
  readonly name: string;
  readonly type?: "file" | "directory" | "symlink" | "link";
  readonly content?: string;
  readonly linkname?: string;
  readonly mode?: number;
}

async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, type = "file", content = "", linkname, mode = type === "directory" ? 0o755 : 0o644 } of entries) {
    archive.entry({ name, type, mode, ...(linkname === undefined ? {} : { linkname }) }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** An image source that knows what `add` gave it. */
export class ImageSourceFake implements ImageSourcePort {
  readonly #folder: string;
  readonly #images = new Map<string, ResolvedImage>();
  resolved = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async add(reference: string, config: ImageConfig, layers: readonly (readonly TarEntry[])[]): Promise<ResolvedImage> {
    await mkdir(this.#folder, { recursive: true });
    const stored: ImageLayer[] = [];
    const diffIds: string[] = [];
    for (const entries of layers) {
      const tar = await tarOf(entries);
      const gzipped = gzipSync(tar);
      const digest = sha256(gzipped);
      const path = join(this.#folder, digest.slice(7));
      await writeFile(path, gzipped);
      stored.push({ digest, mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", path });
      diffIds.push(sha256(tar));
    }
    const digest = sha256(Buffer.from(JSON.stringify({ config, diffIds })));
    const image: ResolvedImage = { digest, config: { config, rootfs: { diff_ids: diffIds } }, layers: stored };
    this.#images.set(reference, image);
    return image;
  }

  resolve(reference: string): Promise<ResolvedImage> {
    this.resolved++;
    const image = this.#images.get(reference);
    if (image === undefined) return Promise.reject(new Error(`manifest for "${reference}" not found`));
    return Promise.resolve(image);
  }
}

function sha256(data: Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}
