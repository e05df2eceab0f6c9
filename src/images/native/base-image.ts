/** Pulls a base image into the cache folder and lays its layers out as a tree. */
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { isObject, type Clock } from "#lib";
import { ImageError } from "../errors.ts";
import { formatPlatform, platformFits, type Platform } from "../platform.ts";
import { formatImageReference, parseImageReference, type ImageReference } from "../reference.ts";
import type { PulledManifest, RegistryClient } from "../registry/client.ts";
import { parseImageConfig, type ImageConfig, type ImageLayer } from "./image-config.ts";
import { indexLayer } from "./layer-reader.ts";
import { blobPath } from "./layer-writer.ts";
import { ImageTree } from "./tree.ts";

export interface BaseImage {
  readonly config: ImageConfig;
  readonly layers: readonly ImageLayer[];
  readonly tree: ImageTree;
}

export interface BaseImageOptions {
  readonly registry: RegistryClient;
  readonly platform: Platform;
  readonly cacheFolder: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform;
}

export async function pullBaseImage(name: string, options: BaseImageOptions): Promise<BaseImage> {
  const reference = parseImageReference(name);
  const manifest = await platformManifest(reference, options);
  const body = parseJson(manifest.bytes);
  const configDescriptor = isObject(body) ? descriptorOf(body["config"]) : undefined;
  const layerList = isObject(body) && Array.isArray(body["layers"]) ? body["layers"].map(descriptorOf) : [];
  if (configDescriptor === undefined || layerList.includes(undefined)) {
    throw unreadable(reference, "its manifest names no config and layers");
  }
  const config = parseImageConfig(await options.registry.readBlob(reference, configDescriptor.digest, options.signal));
  if (config === undefined) throw unreadable(reference, "its config is not an image config");
  if (!platformFits(config.platform, options.platform)) throw noPlatform(reference, options.platform);
  const tree = new ImageTree();
  const layers: ImageLayer[] = [];
  for (const descriptor of layerList) {
    if (descriptor === undefined) continue;
    const layer = await pullLayer(reference, descriptor, options);
    layers.push(layer);
    tree.apply(await indexLayer(layer.path, layer.digest, join(options.cacheFolder, "index"), options.signal));
  }
  return { config, layers, tree };
}

async function pullLayer(
  reference: ImageReference,
  descriptor: Descriptor,
  options: BaseImageOptions,
): Promise<ImageLayer> {
  const path = blobPath(join(options.cacheFolder, "blobs"), descriptor.digest);
  if (!(await markUsed(path, options.clock))) {
    options.onProgress(`pulling ${descriptor.digest.slice(0, 19)} (${descriptor.size} bytes)`);
    await options.registry.pullBlob(reference, descriptor.digest, path, options.signal);
  }
  return {
    digest: descriptor.digest,
    size: descriptor.size,
    path,
    mediaType: ociLayerType(descriptor.mediaType),
    origin: { host: reference.host, repository: reference.repository },
  };
}

/** The manifest itself, or the one for our platform when the name stands for an index. */
async function platformManifest(reference: ImageReference, options: BaseImageOptions): Promise<PulledManifest> {
  options.onProgress(`resolving ${formatImageReference(reference)}`);
  const first = await options.registry.getManifest(reference, options.signal);
  const body = parseJson(first.bytes);
  if (!isObject(body) || !Array.isArray(body["manifests"])) return first;
  const entries = body["manifests"].map(descriptorOf).filter((entry) => entry !== undefined);
  const wanted = options.platform;
  const fitting = entries.filter((entry) => entry.platform !== undefined && platformFits(entry.platform, wanted));
  const exact = fitting.find((entry) => entry.platform?.variant === wanted.variant) ?? fitting[0];
  if (exact === undefined) throw noPlatform(reference, wanted);
  const { tag: _tag, ...withoutTag } = reference;
  return await options.registry.getManifest({ ...withoutTag, digest: exact.digest }, options.signal);
}

function descriptorOf(value: unknown): Descriptor | undefined {
  if (!isObject(value)) return undefined;
  const { mediaType, digest, size, platform } = value;
  if (typeof digest !== "string" || !/^sha(256|512):[a-f0-9]+$/.test(digest)) return undefined;
  if (typeof size !== "number") return undefined;
  const { os, architecture, variant } = isObject(platform) ? platform : {};
  const named = typeof os === "string" && typeof architecture === "string";
  return {
    digest,
    size,
    mediaType: typeof mediaType === "string" ? mediaType : "",
    ...(named ? { platform: { os, architecture, ...(typeof variant === "string" ? { variant } : {}) } } : {}),
  };
}

/** Docker's names for the same bytes. */
function ociLayerType(mediaType: string): string {
  if (mediaType === "application/vnd.docker.image.rootfs.diff.tar.gzip") {
    return "application/vnd.oci.image.layer.v1.tar+gzip";
  }
  return mediaType === "application/vnd.docker.image.rootfs.diff.tar"
    ? "application/vnd.oci.image.layer.v1.tar"
    : mediaType;
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** False when the blob is not there. The time keeps it from being trimmed while it is used. */
async function markUsed(path: string, clock: Clock): Promise<boolean> {
  const now = clock.now().epochMilliseconds / 1000;
  return await utimes(path, now, now).then(
    () => true,
    () => false,
  );
}

function unreadable(reference: ImageReference, what: string): ImageError {
  return new ImageError(
    "images/registry-refused",
    `Cannot use "${formatImageReference(reference)}" as a base: ${what}`,
  );
}

function noPlatform(reference: ImageReference, platform: Platform): ImageError {
  const message = `Cannot use "${formatImageReference(reference)}" as a base: it has no variant for ${formatPlatform(platform)}`;
  return new ImageError("images/no-such-platform", message);
}
