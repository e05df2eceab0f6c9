/**
 * Where pods' images come from: our own registry straight from its disk, any other through its HTTP API into a cache of
 * blobs by digest.
 */
import { mkdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { AppError, isObject } from "#lib";
import { type ImageReference, parseImageReference, type RegistryClient, type RegistryCredentials } from "#images";
import { parseManifest, type Registry } from "#registry";
import type { ImageSourcePort, ResolvedImage } from "#runtime";
import { ownRepository } from "./addresses.ts";
import { loginsFor } from "./registry-logins.ts";

class ImageSourceError extends AppError<"server/image-not-found" | "server/bad-image-name"> {}

export interface ImageSourceOptions {
  readonly registry: Registry;
  /** A client of other people's registries, logged in as given. */
  readonly remote: (login: RegistryCredentials | undefined) => RegistryClient;
  readonly cacheFolder: string;
  /** With what a container engine may pull from our own registry. */
  readonly engineLogin: () => Promise<RegistryCredentials>;
}

const hostPlatform = { os: platform(), architecture: arch() === "x64" ? "amd64" : arch() };

export function imageSource(options: ImageSourceOptions): ImageSourcePort {
  return {
    async engineLogin(text) {
      const { host, repository } = parseImageReference(text);
      if (ownRepository(`${host}/${repository}`) === undefined) return undefined;
      return { registry: host, ...(await options.engineLogin()) };
    },
    async resolve(text, signal, logins = []) {
      const reference = parseImageReference(text);
      const name = `${reference.host}/${reference.repository}`;
      const own = ownRepository(name);
      return own === undefined
        ? await resolveWithLogins(options, reference, loginsFor(reference, logins), signal)
        : await resolveOwn(options.registry, own, reference.digest ?? reference.tag ?? "latest", text);
    },
  };
}

async function resolveOwn(
  registry: Registry,
  repository: string,
  reference: string,
  text: string,
): Promise<ResolvedImage> {
  const image = await registry.image(repository, reference, hostPlatform);
  if (image === undefined) {
    const known = await registry.tags(repository);
    const tags = known.length === 0 ? "nothing was pushed there yet" : `its tags are ${known.slice(-5).join(", ")}`;
    const message = `Cannot pull image "${text}": "${repository}" has no ${reference}; ${tags}`;
    throw new ImageSourceError("server/image-not-found", message);
  }
  const layers = image.layers.map(({ digest, mediaType }) => ({ digest, mediaType, path: registry.blobPath(digest) }));
  return { digest: image.digest, config: image.config, layers };
}

/** Each login that fits in turn, and what the last one was told when none may pull. */
async function resolveWithLogins(
  options: ImageSourceOptions,
  reference: ImageReference,
  logins: readonly RegistryCredentials[],
  signal: AbortSignal,
): Promise<ResolvedImage> {
  const [login, ...others] = logins;
  try {
    return await resolveRemote(options, options.remote(login), reference, signal);
  } catch (error) {
    if (others.length === 0 || signal.aborted) throw error;
    return await resolveWithLogins(options, reference, others, signal);
  }
}

async function resolveRemote(
  options: ImageSourceOptions,
  remote: RegistryClient,
  reference: ImageReference,
  signal: AbortSignal,
): Promise<ResolvedImage> {
  const { cacheFolder } = options;
  await mkdir(cacheFolder, { recursive: true });
  let pulled = await remote.getManifest(reference, signal);
  let manifest = parseManifest(pulled.bytes, pulled.mediaType);
  const child = manifest.manifests.find(
    (entry) => entry.platform === undefined || matches(entry.platform as { os?: string; architecture?: string }),
  );
  if (child !== undefined) {
    pulled = await remote.getManifest({ ...reference, digest: child.digest }, signal);
    manifest = parseManifest(pulled.bytes, pulled.mediaType);
  }
  if (manifest.config === undefined) {
    const message = `Cannot pull image "${reference.repository}": its manifest has no config for ${hostPlatform.os}/${hostPlatform.architecture}`;
    throw new ImageSourceError("server/image-not-found", message);
  }
  const config: unknown = JSON.parse(
    (await remote.readBlob(reference, manifest.config.digest, signal)).toString("utf8"),
  );
  const layers = [];
  for (const { digest, mediaType } of manifest.layers) {
    const path = join(cacheFolder, digest.replace(":", "-"));
    if (!existsSync(path)) await remote.pullBlob(reference, digest, path, signal);
    layers.push({ digest, mediaType, path });
  }
  return { digest: pulled.digest, config: isObject(config) ? config : {}, layers };
}

function matches(platform: { readonly os?: string; readonly architecture?: string }): boolean {
  return platform.os === hostPlatform.os && platform.architecture === hostPlatform.architecture;
}
