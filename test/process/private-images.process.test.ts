/** A pod's image from a registry that asks who wants it: the logins of its pull secrets are tried as kubelet tries them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createRegistryClient } from "#images";
import { systemClock } from "#lib";
import type { Registry } from "#registry";
import type { ImageSourcePort, RegistryLogin } from "#runtime";
import { fakeLogin, type RegistryFake, startRegistryFake } from "../../src/images/testing.ts";
import { imageSource } from "../../src/server/wiring/image-source.ts";

const signal = AbortSignal.timeout(60_000);
const manifestType = "application/vnd.oci.image.manifest.v1+json";

function put(fake: RegistryFake, bytes: Buffer): { digest: string; size: number } {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  fake.blobs.set(digest, bytes);
  return { digest, size: bytes.length };
}

function addImage(fake: RegistryFake, repository: string): Buffer {
  const layer = gzipSync(Buffer.alloc(1024));
  const config = { mediaType: "application/vnd.oci.image.config.v1+json", ...put(fake, Buffer.from("{}")) };
  const layers = [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", ...put(fake, layer) }];
  const manifest = { schemaVersion: 2, mediaType: manifestType, config, layers };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  for (const name of [`${repository}:1`, `${repository}@${digest}`])
    fake.manifests.set(name, { bytes, type: manifestType });
  return layer;
}

interface Place extends AsyncDisposable {
  readonly fake: RegistryFake;
  readonly source: ImageSourcePort;
  readonly layer: Buffer;
  /** Of three parts: two would be a repository of our own. */
  readonly image: string;
}

async function place(): Promise<Place> {
  const fake = await startRegistryFake();
  const cacheFolder = await mkdtemp(join(tmpdir(), "private-images-"));
  const source = imageSource({
    registry: {} as Registry,
    remote: (login) => createRegistryClient({ credentials: () => login, clock: systemClock }),
    cacheFolder,
    engineLogin: () => Promise.resolve(fakeLogin),
  });
  const layer = addImage(fake, "team/shop/web");
  return {
    fake,
    source,
    layer,
    image: `${fake.host}/team/shop/web:1`,
    async [Symbol.asyncDispose]() {
      await fake[Symbol.asyncDispose]();
      await rm(cacheFolder, { recursive: true });
    },
  };
}

test("the login that is right is found among those that fit, and the layers come with it", async () => {
  await using subject = await place();
  const { fake, source, image, layer } = subject;
  const logins: RegistryLogin[] = [
    { registry: "elsewhere.test", username: "eve", password: "never sent here" },
    { registry: `https://${fake.host}/team`, username: "ada", password: "old" },
    { registry: fake.host, ...fakeLogin },
  ];
  const found = await source.resolve(image, signal, logins);
  assert.deepEqual(await readFile(found.layers[0]?.path ?? ""), layer);
});

test("without a login that is right the pull fails, names the registry, and keeps the password to itself", async () => {
  await using subject = await place();
  const { fake, source, image } = subject;
  const refused = `registry "${fake.host}": it answered 401`;
  await assert.rejects(source.resolve(image, signal), (error: Error) => error.message.includes(refused));
  const wrong = [{ registry: fake.host, username: "ada", password: "old" }];
  await assert.rejects(
    source.resolve(image, signal, wrong),
    (error: Error) => error.message.includes(refused) && !error.message.includes("old"),
  );
});
