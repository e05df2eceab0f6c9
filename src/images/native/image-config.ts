/** The image configuration (OCI image spec, "Image Configuration", with Docker's additions) and the manifest. */
import { canonicalJson, isObject, sha256Digest } from "#lib";
import type { Platform } from "../platform.ts";

export interface Healthcheck {
  readonly Test: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** How a container of the image runs; the field names are the specification's. */
export interface RunConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Healthcheck?: Healthcheck;
  readonly OnBuild?: readonly string[];
  readonly Shell?: readonly string[];
}

export interface HistoryEntry {
  readonly created?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly author?: string;
  readonly empty_layer?: boolean;
}

export interface ImageConfig {
  readonly platform: Platform;
  readonly author?: string;
  readonly run: RunConfig;
  readonly diffIds: readonly string[];
  readonly history: readonly HistoryEntry[];
}

export interface ImageLayer {
  readonly digest: string;
  readonly size: number;
  readonly path: string;
  readonly mediaType: string;
  /** Where a base layer came from, so that a push to the same host can mount it. */
  readonly origin?: { readonly host: string; readonly repository: string };
}

export const manifestMediaType = "application/vnd.oci.image.manifest.v1+json";
const configMediaType = "application/vnd.oci.image.config.v1+json";
const scratchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** `FROM scratch`: empty but for the search path, as BuildKit makes it. */
export function scratchConfig(platform: Platform): ImageConfig {
  return { platform, run: { Env: [scratchPath], WorkingDir: "/" }, diffIds: [], history: [] };
}

/** Reads a pulled configuration; undefined when it is not one. */
export function parseImageConfig(bytes: Uint8Array): ImageConfig | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isObject(value) || !isObject(value["rootfs"]) || !Array.isArray(value["rootfs"]["diff_ids"])) return undefined;
  const variant = value["variant"];
  const platform: Platform = {
    os: typeof value["os"] === "string" ? value["os"] : "linux",
    architecture: typeof value["architecture"] === "string" ? value["architecture"] : "amd64",
    ...(typeof variant === "string" && variant !== "" ? { variant } : {}),
  };
  const author = value["author"];
  return {
    platform,
    ...(typeof author === "string" ? { author } : {}),
    run: isObject(value["config"]) ? value["config"] : {},
    diffIds: value["rootfs"]["diff_ids"].filter((id) => typeof id === "string"),
    history: Array.isArray(value["history"]) ? (value["history"] as HistoryEntry[]) : [],
  };
}

/** The same configuration always gives the same bytes. */
export function encodeImageConfig(config: ImageConfig, created: string): Buffer {
  return Buffer.from(
    canonicalJson({
      created,
      author: config.author,
      architecture: config.platform.architecture,
      variant: config.platform.variant,
      os: config.platform.os,
      config: config.run,
      rootfs: { type: "layers", diff_ids: config.diffIds },
      history: config.history,
    }),
  );
}

export function encodeManifest(config: Uint8Array, layers: readonly ImageLayer[]): Buffer {
  return Buffer.from(
    canonicalJson({
      schemaVersion: 2,
      mediaType: manifestMediaType,
      config: { mediaType: configMediaType, digest: sha256Digest(config), size: config.length },
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    }),
  );
}
