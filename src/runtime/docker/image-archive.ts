/** An image as the archive that `docker load` takes: its config, its layers as they are stored, and `manifest.json`. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { sha256Hex } from "#lib";
import type { ResolvedImage } from "../ports.ts";

const hostPlatform = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };

/** @param name what the engine shall know it by */
export function imageArchive(image: ResolvedImage, name: string): Readable {
  const archive = pack();
  write(archive, image, name).catch((error: unknown) => archive.destroy(error as Error));
  return Readable.from(archive);
}

async function write(archive: ReturnType<typeof pack>, image: ResolvedImage, name: string): Promise<void> {
  const { rootfs, ...facts } = image.config;
  // An engine asks for what image-spec 1.1 requires; images that this machine runs by itself get by with less.
  const config = JSON.stringify({ ...hostPlatform, ...facts, rootfs: { type: "layers", ...rootfs } });
  const configName = `${sha256Hex(config)}.json`;
  archive.entry({ name: configName }, config);
  const layers: string[] = [];
  for (const { digest, path } of image.layers) {
    const file = `${digest.replace(/^sha256:/, "")}/layer.tar`;
    // Twice the same layer (two empty ones) is one file.
    if (!layers.includes(file)) {
      const { size } = await stat(path);
      await pipeline(createReadStream(path), archive.entry({ name: file, size }));
    }
    layers.push(file);
  }
  archive.entry({ name: "manifest.json" }, JSON.stringify([{ Config: configName, RepoTags: [name], Layers: layers }]));
  archive.finalize();
}
