/**
 * Reads a manifest: an image, an index, or a kind nobody has thought of yet, of which only the well-known fields are
 * looked at. The bytes are never changed: their digest is the manifest's name. Pure.
 */
import { isObject } from "#lib";
import { RegistryError } from "./errors.ts";
import { isDigest } from "./names.ts";

export const mediaTypes = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
} as const;

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly mediaType: string;
  readonly config: Descriptor | undefined;
  readonly layers: readonly Descriptor[];
  /** Children of an index. */
  readonly manifests: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Layers that stay where their licence keeps them: clients do not push them. */
const foreignLayer = /^application\/vnd\.(?:oci\.image\.layer\.nondistributable|docker\.image\.rootfs\.foreign)\./;

export function isForeign(layer: Descriptor): boolean {
  return foreignLayer.test(layer.mediaType);
}

/** `contentType` is the request header's, if any. Throws MANIFEST_INVALID. */
export function parseManifest(content: Uint8Array, contentType: string | undefined): Manifest {
  const value = parseObject(content);
  const declared = optionalText(value["mediaType"], "mediaType");
  const header = contentType?.split(";")[0]?.trim();
  const mediaType = header === undefined || header === "" ? declared : header;
  if (mediaType === undefined) throw invalid("it has no mediaType and the request no Content-Type");
  if (declared !== undefined && declared !== mediaType) {
    throw invalid(`its mediaType is "${declared}", but the request's Content-Type is "${mediaType}"`);
  }
  return {
    mediaType,
    config: optionalDescriptor(value["config"], "config"),
    layers: descriptors(value["layers"], "layers"),
    manifests: descriptors(value["manifests"], "manifests"),
    subject: optionalDescriptor(value["subject"], "subject"),
    artifactType: optionalText(value["artifactType"], "artifactType"),
    annotations: textMap(value["annotations"]),
  };
}

/** What the referrers API calls this manifest: its own artifactType, else an image's config media type. */
export function referrerType(manifest: Manifest): string | undefined {
  return manifest.artifactType ?? manifest.config?.mediaType;
}

function parseObject(content: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    throw invalid("it is not JSON");
  }
  if (!isObject(value)) throw invalid("it is not a JSON object");
  return value;
}

function descriptors(value: unknown, path: string): readonly Descriptor[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid(`${path} must be a list`);
  return value.map((item, index) => descriptor(item, `${path}[${index}]`));
}

function optionalDescriptor(value: unknown, path: string): Descriptor | undefined {
  return value === undefined || value === null ? undefined : descriptor(value, path);
}

function descriptor(value: unknown, path: string): Descriptor {
  if (!isObject(value)) throw invalid(`${path} must be a descriptor`);
  const { digest, size, mediaType } = value;
  if (typeof digest !== "string" || !isDigest(digest)) throw invalid(`${path}.digest is not a digest`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw invalid(`${path}.size is not a size`);
  const platform = isObject(value["platform"]) ? platformOf(value["platform"]) : undefined;
  return {
    mediaType: optionalText(mediaType, `${path}.mediaType`) ?? "",
    digest,
    size,
    ...(platform === undefined ? {} : { platform }),
    annotations: textMap(value["annotations"]),
  };
}

function platformOf(value: Record<string, unknown>): NonNullable<Descriptor["platform"]> {
  return textMap({ os: value["os"], architecture: value["architecture"], variant: value["variant"] });
}

function optionalText(value: unknown, path: string): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") throw invalid(`${path} must be text`);
  return value;
}

function textMap(value: unknown): Record<string, string> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function invalid(found: string): RegistryError {
  return new RegistryError("MANIFEST_INVALID", 400, `Cannot take the manifest: ${found}`);
}
