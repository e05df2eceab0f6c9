/** The registry: content by digest, names for it, and the record of pushes. The routes are one face of it, tests another. */
import { readFile } from "node:fs/promises";
import { isObject, KeyedLock, migrate, type Clock, type Database, type Ids, type Log, type SequenceLog } from "#lib";
import type { Kysely } from "kysely";
import { BlobFiles } from "./blob-files.ts";
import { collectGarbage, type Garbage } from "./collect-garbage.ts";
import { RegistryError } from "./errors.ts";
import { imageFacts, pickPlatform, type Image, type Platform } from "./image.ts";
import { parseManifest, type Manifest } from "./manifest.ts";
import { held, holderOf, Manifests, type ManifestPush, type PutManifest, type StoredManifest } from "./manifests.ts";
import { isRepositoryName, isTag, requireDigest } from "./names.ts";
import { migrations, registryDatabase, type RegistrySchema } from "./schema.ts";
import { Uploads, type ByteSource } from "./uploads.ts";

export interface RegistryOptions {
  /** Blobs and unfinished uploads. Owned by one server at a time. */
  readonly folder: string;
  readonly database: Database;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  /** Default 20 GiB. */
  readonly maxBlobBytes?: number;
}

export interface PushManifest {
  /** Tags to move to it; none: it is known by its digest only. */
  readonly tags?: readonly string[];
  readonly content: string | Uint8Array;
  /** Default: the manifest's own mediaType. */
  readonly mediaType?: string;
  readonly pusher: string;
}

const dayMs = 86_400_000;

/** A lease is renewed by reads at most this often. */
const leaseStepMs = 3_600_000;

export async function openRegistry(options: RegistryOptions): Promise<Registry> {
  await migrate(options.database, "registry", migrations);
  const registry = new Registry(options);
  await registry.files.prepare();
  return registry;
}

export class Registry {
  readonly files: BlobFiles;
  readonly uploads: Uploads;
  readonly manifests: Manifests;
  /** Every manifest push, in order. */
  readonly pushes: SequenceLog<ManifestPush>;
  readonly #db: Kysely<RegistrySchema>;
  readonly #clock: Clock;
  readonly #content = new KeyedLock();

  constructor(options: RegistryOptions) {
    const db = registryDatabase(options.database);
    const { clock, ids } = options;
    const maxBlobBytes = options.maxBlobBytes ?? 20 * 1024 ** 3;
    this.#db = db;
    this.#clock = clock;
    this.files = new BlobFiles(options.folder);
    this.uploads = new Uploads({ db, files: this.files, clock, ids, maxBlobBytes, content: this.#content });
    this.manifests = new Manifests(db, clock);
    this.pushes = this.manifests.pushes;
  }

  /** Whether the same manifest was pushed to the repository before this push. */
  async pushedBefore(push: ManifestPush): Promise<boolean> {
    const row = await this.#db
      .selectFrom("registry_pushes")
      .select("sequence")
      .where("repository", "=", push.repository)
      .where("digest", "=", push.digest)
      .where("sequence", "<", push.sequence)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** Size of a blob that this repository may serve. A client that hears of it may rely on it for a day. */
  async blob(repository: string, digest: string): Promise<{ digest: string; size: number } | undefined> {
    const row = await this.#db
      .selectFrom("registry_links")
      .innerJoin("registry_blobs", "registry_blobs.digest", "registry_links.digest")
      .select(["registry_blobs.size", "registry_links.leased_at"])
      .where("registry_links.repository", "=", repository)
      .where("registry_links.digest", "=", digest)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const now = this.#clock.now().epochMilliseconds;
    if (now - row.leased_at > leaseStepMs) await this.#lease(repository, digest, now);
    return { digest, size: row.size };
  }

  /** Where the bytes of a blob are; whether it exists is `blob`'s to say. */
  blobPath(digest: string): string {
    return this.files.pathOf(requireDigest(digest));
  }

  /** Repositories that hold the blob. */
  async holders(digest: string, limit: number): Promise<readonly string[]> {
    const rows = await this.#db
      .selectFrom("registry_links")
      .select("repository")
      .where("digest", "=", digest)
      .orderBy("repository")
      .limit(limit)
      .execute();
    return rows.map((row) => row.repository);
  }

  /** Lets `to` serve a blob of `from` without an upload. False when `from` does not have it. */
  async mount(from: string, to: string, digest: string): Promise<boolean> {
    const leased_at = this.#clock.now().epochMilliseconds;
    return await this.#db.transaction().execute(async (tx) => {
      const source = await tx
        .selectFrom("registry_links")
        .select("digest")
        .where("repository", "=", from)
        .where("digest", "=", digest)
        .executeTakeFirst();
      if (source === undefined) return false;
      await tx
        .insertInto("registry_links")
        .values({ repository: to, digest, leased_at })
        .onConflict((conflict) => conflict.columns(["repository", "digest"]).doUpdateSet({ leased_at }))
        .execute();
      return true;
    });
  }

  /** Takes the blob from this repository. Throws UNSUPPORTED while a manifest refers to it. False when there was none. */
  async deleteBlob(repository: string, digest: string): Promise<boolean> {
    return await this.#db.transaction().execute(async (tx) => {
      const holder = await holderOf(tx, repository, digest);
      if (holder !== undefined) throw held("blob", digest, holder);
      const result = await tx
        .deleteFrom("registry_links")
        .where("repository", "=", repository)
        .where("digest", "=", digest)
        .executeTakeFirst();
      return Number(result.numDeletedRows) > 0;
    });
  }

  /** Whether anything was ever stored under this name and is still there. */
  async exists(repository: string): Promise<boolean> {
    for (const table of ["registry_manifests", "registry_links"] as const) {
      const query = this.#db.selectFrom(table).select("digest").where("repository", "=", repository).limit(1);
      if ((await query.executeTakeFirst()) !== undefined) return true;
    }
    return false;
  }

  /** Names of the repositories that have a manifest, sorted. */
  async repositories(): Promise<readonly string[]> {
    const rows = await this.#db
      .selectFrom("registry_manifests")
      .select("repository")
      .distinct()
      .orderBy("repository")
      .execute();
    return rows.map((row) => row.repository);
  }

  /** Tags in byte order. */
  tags(repository: string): Promise<readonly string[]> {
    return this.manifests.tags(repository);
  }

  /** By tag or digest. */
  manifest(repository: string, reference: string): Promise<StoredManifest | undefined> {
    return this.manifests.get(repository, reference);
  }

  /** The image that a tag or digest names; of an index, the one for `platform`. Undefined when there is none. */
  async image(repository: string, reference: string, platform?: Platform): Promise<Image | undefined> {
    const stored = await this.manifest(repository, reference);
    if (stored === undefined) return undefined;
    const manifest = parseManifest(stored.content, stored.mediaType);
    if (manifest.manifests.length > 0) {
      const child = pickPlatform(manifest.manifests, platform);
      return child === undefined ? undefined : await this.image(repository, child.digest, platform);
    }
    const config = await this.#config(repository, manifest);
    return config === undefined ? undefined : imageFacts(stored.digest, manifest, config);
  }

  /** Stores a blob from within the process. */
  async pushBlob(repository: string, content: Uint8Array | ByteSource, digest: string): Promise<void> {
    requireName(repository);
    requireDigest(digest);
    const { id } = await this.uploads.begin(repository);
    await this.uploads.append(repository, id, content instanceof Uint8Array ? bytes(content) : content, 0);
    await this.uploads.finish(repository, id, digest);
  }

  /** Stores a manifest from within the process; its digest. */
  async pushManifest(repository: string, push: PushManifest): Promise<string> {
    requireName(repository);
    const tags = push.tags ?? [];
    for (const tag of tags) {
      if (!isTag(tag)) throw new RegistryError("MANIFEST_INVALID", 400, `Cannot tag as "${tag}": not a tag`);
    }
    const content = typeof push.content === "string" ? Buffer.from(push.content) : push.content;
    const put: PutManifest = { tags, content, mediaType: push.mediaType, pusher: push.pusher };
    return (await this.manifests.put(repository, put)).digest;
  }

  /** Frees what nothing has referred to for `graceMs` (default a day). */
  async collectGarbage(signal: AbortSignal, graceMs = dayMs): Promise<Garbage> {
    const { files, uploads } = this;
    return await collectGarbage(
      { db: this.#db, files, uploads, clock: this.#clock, content: this.#content, graceMs },
      signal,
    );
  }

  async #lease(repository: string, digest: string, leased_at: number): Promise<void> {
    await this.#db
      .updateTable("registry_links")
      .set({ leased_at })
      .where("repository", "=", repository)
      .where("digest", "=", digest)
      .execute();
  }

  async #config(repository: string, manifest: Manifest): Promise<Record<string, unknown> | undefined> {
    const descriptor = manifest.config;
    const blob = descriptor === undefined ? undefined : await this.blob(repository, descriptor.digest);
    if (blob === undefined || blob.size > maxConfigBytes) return undefined;
    const value: unknown = JSON.parse(await readFile(this.blobPath(blob.digest), "utf8"));
    return isObject(value) ? value : undefined;
  }
}

const maxConfigBytes = 8 * 1024 * 1024;

/** Throws NAME_INVALID. */
export function requireName(name: string): string {
  if (isRepositoryName(name)) return name;
  const wanted = 'lower-case letters and digits, with ".", "_" or "-" between, and slashes';
  throw new RegistryError(
    "NAME_INVALID",
    400,
    `Cannot use "${name.slice(0, 200)}" as a repository name: use ${wanted}`,
  );
}

async function* bytes(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(content);
}
