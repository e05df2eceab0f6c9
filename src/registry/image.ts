/** What deployment wants to know of an image, read from its manifest and configuration. Pure. */
import { isObject } from "#lib";
import type { Descriptor, Manifest } from "./manifest.ts";

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

export interface Image {
  /** Of the image's own manifest, also when an index was asked for. */
  readonly digest: string;
  readonly mediaType: string;
  /** The OCI image configuration as pushed. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly layers: readonly Descriptor[];
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339, when the builder said. */
  readonly created: string | undefined;
  readonly platform: Platform | undefined;
}

export function imageFacts(digest: string, manifest: Manifest, config: Record<string, unknown>): Image {
  const { os, architecture, created } = config;
  const run = isObject(config["config"]) ? config["config"] : {};
  const labels = isObject(run["Labels"]) ? run["Labels"] : {};
  return {
    digest,
    mediaType: manifest.mediaType,
    config,
    layers: manifest.layers,
    labels: Object.fromEntries(
      Object.entries(labels).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    ),
    created: typeof created === "string" ? created : undefined,
    platform: typeof os === "string" && typeof architecture === "string" ? { os, architecture } : undefined,
  };
}

/** The child for the platform; without a wish (or platforms to choose by) the first. Attestations are no images. */
export function pickPlatform(children: readonly Descriptor[], wanted: Platform | undefined): Descriptor | undefined {
  const images = children.filter((child) => child.platform?.os !== "unknown");
  if (wanted === undefined) return images[0];
  return images.find(
    ({ platform }) =>
      platform === undefined || (platform.os === wanted.os && platform.architecture === wanted.architecture),
  );
}
