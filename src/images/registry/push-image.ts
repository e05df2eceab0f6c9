/** Sends a built image: layers first, then the config, then the manifest under each name. */
import { TaskGroup } from "#lib";
import type { BuiltImage } from "../native/build.ts";
import { formatImageReference, type ImageReference } from "../reference.ts";
import type { RegistryClient } from "./client.ts";

export interface PushOptions {
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

const parallelUploads = 4;

/** After it returns every reference names the image's digest. Repeating it sends only what is missing. */
export async function pushImage(
  client: RegistryClient,
  image: BuiltImage,
  references: readonly ImageReference[],
  options: PushOptions,
): Promise<void> {
  const repositories = new Map(references.map((reference) => [`${reference.host}/${reference.repository}`, reference]));
  for (const reference of repositories.values()) await pushBlobs(client, image, reference, options);
  for (const reference of references) {
    await client.pushManifest(reference, image.manifest, image.mediaType, options.signal);
    options.onProgress(`pushed ${formatImageReference(reference)} (${image.digest})`);
  }
}

async function pushBlobs(
  client: RegistryClient,
  image: BuiltImage,
  reference: ImageReference,
  options: PushOptions,
): Promise<void> {
  const waiting = [...image.layers];
  const failures: unknown[] = [];
  await using uploads = new TaskGroup((error) => void failures.push(error));
  const stop = AbortSignal.any([options.signal, uploads.signal]);
  for (let worker = 0; worker < parallelUploads; worker++) {
    uploads.start(`upload ${worker}`, async () => {
      for (let layer = waiting.shift(); layer !== undefined && failures.length === 0; layer = waiting.shift()) {
        const from = layer.origin?.host === reference.host ? layer.origin.repository : undefined;
        const blob = { digest: layer.digest, size: layer.size, content: { path: layer.path } };
        const how = await client.pushBlob(reference, blob, from, stop);
        options.onProgress(`layer ${layer.digest.slice(0, 19)} ${how} (${layer.size} bytes)`);
      }
    });
  }
  await uploads.settled();
  if (failures.length > 0) throw failures[0];
  const config = { digest: image.configDigest, size: image.config.length, content: { bytes: image.config } };
  await client.pushBlob(reference, config, undefined, options.signal);
}
