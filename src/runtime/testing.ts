/** Images for tests, made of files in memory. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import type { ImageConfig, ImageLayer, ImageSourcePort, ResolvedImage } from "./ports.ts";

export interface TarEntry {
  readonly name: string;
  readonly type?: "file" | "directory" | "symlink" | "link";
  readonly content?: string | Buffer;
  readonly linkname?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, type = "file", content = "", linkname, mode, uid = 0, gid = 0 } of entries) {
    const usual = type === "directory" ? 0o755 : 0o644;
    const target = linkname === undefined ? {} : { linkname };
    archive.entry({ name, type, mode: mode ?? usual, uid, gid, ...target }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/**
 * A root file system of one program: a busybox without shared libraries, under the names of what it does. Otherwise why
 * there is none.
 */
export function busyboxFiles(): readonly TarEntry[] | string {
  const path = ["/bin/busybox", "/usr/bin/busybox"].find((candidate) => existsSync(candidate));
  if (path === undefined) return "busybox is not on this machine";
  const list = spawnSync(path, ["--list"], { encoding: "utf8" }).stdout.split("\n");
  const names = list.filter((name) => name !== "" && name !== "busybox");
  return [
    { name: "bin/busybox", content: readFileSync(path), mode: 0o755 },
    ...names.map((name): TarEntry => ({ name: `bin/${name}`, type: "symlink", linkname: "busybox" })),
    { name: "tmp", type: "directory", mode: 0o777 },
    { name: "etc/passwd", content: "root:x:0:0:root:/root:/bin/sh\napp:x:1234:1235:app:/app:/bin/sh\n" },
    { name: "etc/group", content: "root:x:0:\napp:x:1235:\nextra:x:1300:app\n" },
  ];
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
