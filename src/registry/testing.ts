/** A registry over a real socket. For tests only. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AccessPort } from "#api";
import { openDatabase, silentLog, systemClock, systemIds, type Clock, type Log } from "#lib";
import Fastify from "fastify";
import { openRegistry, registryRoutes, type Registry } from "./index.ts";

/** The password is the identity: `name=scope,scope`. */
const accessByPassword: AccessPort = {
  authenticate(authorization) {
    const [, value = ""] = /^Basic (.+)$/i.exec(authorization ?? "") ?? [];
    const password = Buffer.from(value, "base64")
      .toString("utf8")
      .replace(/^[^:]*:/, "");
    const [name = "", scopes] = password.split("=");
    return Promise.resolve(scopes === undefined ? undefined : { name, scopes: scopes.split(",") });
  },
};

function login(password: string): string {
  return `Basic ${Buffer.from(`user:${password}`).toString("base64")}`;
}

export interface RegistryServer extends AsyncDisposable {
  readonly registry: Registry;
  readonly folder: string;
  readonly port: number;
  /** A request as `identity` (default: may everything; null: nobody). Paths begin with a slash. */
  ask(method: string, path: string, options?: Ask): Promise<Response>;
}

interface Ask {
  readonly as?: string | null;
  readonly bearer?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: NonNullable<RequestInit["body"]>;
}

export interface RegistryServerOptions {
  /** Kept afterwards when given. */
  readonly folder?: string;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly maxBlobBytes?: number;
}

export async function startRegistry(options: RegistryServerOptions = {}): Promise<RegistryServer> {
  await using stack = new AsyncDisposableStack();
  const folder = options.folder ?? (await temporaryFolder(stack));
  const clock = options.clock ?? systemClock;
  const log = options.log ?? silentLog;
  const database = stack.adopt(openDatabase(join(folder, "tidegate.db")), (db) => db.destroy());
  const limit = options.maxBlobBytes === undefined ? {} : { maxBlobBytes: options.maxBlobBytes };
  const blobs = { folder: join(folder, "blobs"), database, clock, ids: systemIds, log, ...limit };
  const registry = await openRegistry(blobs);
  const app = stack.adopt(Fastify({ forceCloseConnections: true }), (app) => app.close());
  const issuer = { secret: new Uint8Array(32).fill(7) };
  await app.register(registryRoutes({ registry, access: accessByPassword, issuer, clock, log }));
  const base = await app.listen({ host: "127.0.0.1", port: 0 });
  const parts = stack.move();
  return {
    registry,
    folder,
    port: Number(new URL(base).port),
    ask: (method, path, ask = {}) => request(`${base}${path}`, method, ask),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function request(url: string, method: string, ask: Ask): Promise<Response> {
  const headers: Record<string, string> = { ...ask.headers };
  if (ask.bearer !== undefined) headers["authorization"] = `Bearer ${ask.bearer}`;
  else if (ask.as !== null) headers["authorization"] = login(ask.as ?? "ada=admin");
  const body = ask.body === undefined ? {} : { body: ask.body, duplex: "half" as const };
  return fetch(url, { method, headers, ...body });
}

export async function temporaryFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-registry-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function digestOf(content: string | Uint8Array, algorithm: "sha256" | "sha512" = "sha256"): string {
  return `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`;
}

export interface ImageFixture {
  readonly config: string;
  readonly layer: string;
  readonly manifest: string;
  readonly digest: string;
}

/** A small image, different for each `seed`. */
export function imageFixture(seed: string, more: Readonly<Record<string, unknown>> = {}): ImageFixture {
  const config = JSON.stringify({
    os: "linux",
    architecture: "amd64",
    created: "2026-01-02T03:04:05Z",
    config: { Labels: { "org.opencontainers.image.revision": seed } },
  });
  const layer = `layer of ${seed}`;
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifest,
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
    ...more,
  });
  return { config, layer, manifest, digest: digestOf(manifest) };
}

export const ociManifest = "application/vnd.oci.image.manifest.v1+json";
export const ociIndex = "application/vnd.oci.image.index.v1+json";

export function descriptor(mediaType: string, content: string): Record<string, unknown> {
  return { mediaType, digest: digestOf(content), size: Buffer.byteLength(content) };
}
