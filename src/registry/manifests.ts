/** Manifests, tags and what they keep alive. Every change is one transaction. */
import { createHash } from "node:crypto";
import { SequenceLog, type Clock } from "#lib";
import type { Kysely, Transaction } from "kysely";
import { RegistryError } from "./errors.ts";
import { isForeign, parseManifest, referrerType, type Manifest } from "./manifest.ts";
import { movingTags } from "./moving-tags.ts";
import { algorithmOf, isDigest, isTag } from "./names.ts";
import type { ManifestRow, RegistrySchema } from "./schema.ts";

export interface ManifestPush {
  readonly sequence: number;
  readonly repository: string;
  /** Undefined when pushed by digest alone. */
  readonly tag: string | undefined;
  readonly digest: string;
  readonly mediaType: string;
  /** RFC 3339. */
  readonly pushedAt: string;
  /** Name of an Identity. */
  readonly pusher: string;
}

export interface StoredManifest {
  readonly digest: string;
  readonly mediaType: string;
  /** Exactly as pushed. */
  readonly content: Buffer;
  readonly pushedAt: string;
}

export interface PutManifest {
  /** Tags to move to it. */
  readonly tags: readonly string[];
  /** The digest the client gave, verified. */
  readonly digest?: string;
  readonly content: Uint8Array;
  readonly mediaType: string | undefined;
  readonly pusher: string;
}

export interface Referrer {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>>;
}

type Write = Transaction<RegistrySchema>;

/** The specification asks for at least this much to be accepted. */
export const maxManifestBytes = 4 * 1024 * 1024;

export class Manifests {
  readonly pushes: SequenceLog<ManifestPush>;
  readonly #db: Kysely<RegistrySchema>;
  readonly #clock: Clock;

  constructor(db: Kysely<RegistrySchema>, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
    this.pushes = new SequenceLog((sequence, limit) => this.#pushesAfter(sequence, limit));
  }

  /** Stores it, moves the tags and records the push, or none of them. Throws MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN. */
  async put(repository: string, put: PutManifest): Promise<{ digest: string; subject: string | undefined }> {
    if (put.content.length > maxManifestBytes) {
      const message = `Cannot take the manifest: it is over ${maxManifestBytes} bytes`;
      throw new RegistryError("SIZE_INVALID", 413, message);
    }
    const manifest = parseManifest(put.content, put.mediaType);
    const digest = digestOf(put.content, put.digest);
    await this.#db.transaction().execute(async (tx) => {
      await requireReferences(tx, repository, manifest);
      await this.#insert(tx, repository, digest, manifest, put);
    });
    this.pushes.notify();
    return { digest, subject: manifest.subject?.digest };
  }

  /** By tag or digest. */
  async get(repository: string, reference: string): Promise<StoredManifest | undefined> {
    const digest = await this.resolve(repository, reference);
    if (digest === undefined) return undefined;
    const row = await this.#db
      .selectFrom("registry_manifests")
      .selectAll()
      .where("repository", "=", repository)
      .where("digest", "=", digest)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    return { digest, mediaType: row.media_type, content: Buffer.from(row.content), pushedAt: row.pushed_at };
  }

  /** The digest that a tag names, or the digest itself; it need not be stored. */
  async resolve(repository: string, reference: string): Promise<string | undefined> {
    if (isDigest(reference)) return reference;
    const row = await this.#db
      .selectFrom("registry_tags")
      .select("digest")
      .where("repository", "=", repository)
      .where("tag", "=", reference)
      .executeTakeFirst();
    return row?.digest;
  }

  /** In byte order, after `last`. */
  async tags(repository: string, page: { last?: string; limit?: number } = {}): Promise<readonly string[]> {
    let query = this.#db.selectFrom("registry_tags").select("tag").where("repository", "=", repository).orderBy("tag");
    if (page.last !== undefined) query = query.where("tag", ">", page.last);
    if (page.limit !== undefined) query = query.limit(page.limit);
    return (await query.execute()).map((row) => row.tag);
  }

  /** Removes the tag; what it named stays. False when there was none. */
  async deleteTag(repository: string, tag: string): Promise<boolean> {
    const result = await this.#db
      .deleteFrom("registry_tags")
      .where("repository", "=", repository)
      .where("tag", "=", tag)
      .executeTakeFirst();
    return Number(result.numDeletedRows) > 0;
  }

  /** Removes the manifest and its tags. Throws UNSUPPORTED while an index holds it. False when there was none. */
  async delete(repository: string, digest: string): Promise<boolean> {
    return await this.#db.transaction().execute(async (tx) => {
      const holder = await holderOf(tx, repository, digest);
      if (holder !== undefined) throw held("manifest", digest, holder);
      const where = { repository, digest };
      const result = await tx
        .deleteFrom("registry_manifests")
        .where("repository", "=", where.repository)
        .where("digest", "=", where.digest)
        .executeTakeFirst();
      await tx.deleteFrom("registry_tags").where("repository", "=", repository).where("digest", "=", digest).execute();
      await tx
        .deleteFrom("registry_references")
        .where("repository", "=", repository)
        .where("digest", "=", digest)
        .execute();
      return Number(result.numDeletedRows) > 0;
    });
  }

  /** Manifests whose subject this is, by digest, after `last`. */
  async referrers(
    repository: string,
    subject: string,
    page: { last?: string; limit: number; artifactType?: string },
  ): Promise<readonly Referrer[]> {
    let query = this.#db
      .selectFrom("registry_manifests")
      .selectAll()
      .where("repository", "=", repository)
      .where("subject", "=", subject)
      .orderBy("digest")
      .limit(page.limit);
    if (page.last !== undefined) query = query.where("digest", ">", page.last);
    if (page.artifactType !== undefined) query = query.where("artifact_type", "=", page.artifactType);
    return (await query.execute()).map(toReferrer);
  }

  async #insert(tx: Write, repository: string, digest: string, manifest: Manifest, put: PutManifest): Promise<void> {
    const pushed_at = this.#clock.now().toString({ smallestUnit: "millisecond" });
    const row: ManifestRow = {
      repository,
      digest,
      media_type: manifest.mediaType,
      content: put.content,
      subject: manifest.subject?.digest ?? null,
      artifact_type: referrerType(manifest) ?? null,
      annotations: JSON.stringify(manifest.annotations),
      pushed_at,
    };
    await tx
      .insertInto("registry_manifests")
      .values(row)
      .onConflict((conflict) =>
        conflict.columns(["repository", "digest"]).doUpdateSet({ media_type: row.media_type, pushed_at }),
      )
      .execute();
    for (const target of keptAlive(manifest)) {
      await tx
        .insertInto("registry_references")
        .values({ repository, digest, target })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    const moving = await movingTags(tx, repository, put.tags, digest);
    for (const tag of put.tags) {
      await tx
        .insertInto("registry_tags")
        .values({ repository, tag, digest, pushed_at })
        .onConflict((conflict) => conflict.columns(["repository", "tag"]).doUpdateSet({ digest, pushed_at }))
        .execute();
    }
    for (const tag of put.tags.length === 0 ? [null] : moving) {
      const push = { repository, tag, digest, media_type: manifest.mediaType, pushed_at, pusher: put.pusher };
      await tx.insertInto("registry_pushes").values(push).execute();
    }
  }

  async #pushesAfter(sequence: number, limit: number): Promise<readonly ManifestPush[]> {
    const rows = await this.#db
      .selectFrom("registry_pushes")
      .selectAll()
      .where("sequence", ">", sequence)
      .orderBy("sequence")
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      sequence: row.sequence,
      repository: row.repository,
      tag: row.tag ?? undefined,
      digest: row.digest,
      mediaType: row.media_type,
      pushedAt: row.pushed_at,
      pusher: row.pusher,
    }));
  }
}

/** A manifest of this repository that refers to the digest, if there is one. */
export async function holderOf(tx: Write, repository: string, target: string): Promise<string | undefined> {
  const row = await tx
    .selectFrom("registry_references")
    .select("digest")
    .where("repository", "=", repository)
    .where("target", "=", target)
    .executeTakeFirst();
  return row?.digest;
}

export function held(what: "blob" | "manifest", digest: string, holder: string): RegistryError {
  const message = `Cannot delete ${what} "${digest}": manifest "${holder}" refers to it; delete that first`;
  return new RegistryError("UNSUPPORTED", 405, message);
}

function digestOf(content: Uint8Array, wanted: string | undefined): string {
  const algorithm = wanted === undefined ? "sha256" : algorithmOf(wanted);
  const digest = `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`;
  if (wanted === undefined || wanted === digest) return digest;
  const message = `Cannot store the manifest as "${wanted}": its content is "${digest}"`;
  throw new RegistryError("DIGEST_INVALID", 400, message);
}

function keptAlive(manifest: Manifest): ReadonlySet<string> {
  const descriptors = [manifest.config, ...manifest.layers, ...manifest.manifests];
  return new Set(descriptors.flatMap((descriptor) => descriptor?.digest ?? []));
}

/** A subject may be missing (it may come later), and so may layers that are not ours to hold. */
async function requireReferences(tx: Write, repository: string, manifest: Manifest): Promise<void> {
  const blobs = [manifest.config, ...manifest.layers.filter((layer) => !isForeign(layer))];
  for (const digest of new Set(blobs.flatMap((blob) => blob?.digest ?? []))) {
    if (!(await isHere(tx, "registry_links", repository, digest))) throw missing("blob", digest);
  }
  for (const { digest } of manifest.manifests) {
    // Build caches are pushed as indexes whose children are plain blobs.
    if (await isHere(tx, "registry_manifests", repository, digest)) continue;
    if (!(await isHere(tx, "registry_links", repository, digest))) throw missing("manifest", digest);
  }
}

async function isHere(
  tx: Write,
  table: "registry_links" | "registry_manifests",
  repository: string,
  digest: string,
): Promise<boolean> {
  const query = tx.selectFrom(table).select("digest").where("repository", "=", repository).where("digest", "=", digest);
  return (await query.executeTakeFirst()) !== undefined;
}

function missing(what: "blob" | "manifest", digest: string): RegistryError {
  const message = `Cannot take the manifest: it refers to ${what} "${digest}", which is not in this repository`;
  return new RegistryError("MANIFEST_BLOB_UNKNOWN", 404, message, { detail: { digest } });
}

/** Throws MANIFEST_INVALID on what is neither a tag nor a digest. */
export function requireReference(reference: string): string {
  if (isDigest(reference) || isTag(reference)) return reference;
  const message = `Cannot read reference "${reference.slice(0, 160)}": it is neither a tag nor a digest`;
  throw new RegistryError(reference.includes(":") ? "DIGEST_INVALID" : "MANIFEST_INVALID", 400, message);
}

function toReferrer(row: ManifestRow): Referrer {
  return {
    mediaType: row.media_type,
    digest: row.digest,
    size: row.content.length,
    artifactType: row.artifact_type ?? undefined,
    annotations: JSON.parse(row.annotations) as Record<string, string>,
  };
}
