/** Releases: a tag with words and files. */
import type { Clock } from "#lib";
import { ForgeError, invalid, notFound } from "./errors.ts";
import type { EventLog } from "./event-log.ts";
import type { RepositoryRef } from "./ports.ts";
import type { AssetRow, ForgeDatabase, ForgeTransaction, ReleaseRow } from "./schema.ts";

export interface AssetView {
  readonly id: number;
  readonly releaseId: number;
  readonly file: string;
  readonly name: string;
  readonly label: string;
  readonly contentType: string;
  readonly size: number;
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly downloads: number;
  readonly uploader: string;
  readonly createdAt: number;
}

export interface ReleaseView {
  readonly id: number;
  readonly tag: string;
  /** What the tag is to be made from, where there is none yet. */
  readonly target: string;
  readonly name: string;
  readonly body: string;
  readonly draft: boolean;
  readonly prerelease: boolean;
  readonly author: string;
  readonly createdAt: number;
  readonly publishedAt: number | null;
  readonly assets: readonly AssetView[];
}

export interface ReleaseChange {
  readonly tag?: string | undefined;
  readonly target?: string | undefined;
  readonly name?: string | null | undefined;
  readonly body?: string | null | undefined;
  readonly draft?: boolean | undefined;
  readonly prerelease?: boolean | undefined;
}

export interface NewAsset {
  readonly file: string;
  readonly name: string;
  readonly label: string;
  readonly contentType: string;
  readonly size: number;
  readonly digest: string;
}

const maxBodyLength = 125_000;

export class Releases {
  readonly #parts: { readonly db: ForgeDatabase; readonly clock: Clock; readonly events: EventLog };

  constructor(parts: { readonly db: ForgeDatabase; readonly clock: Clock; readonly events: EventLog }) {
    this.#parts = parts;
  }

  /** Newest first. */
  async list(repositoryId: string): Promise<readonly ReleaseView[]> {
    return await this.#parts.db.transaction().execute(async (tx) => {
      const rows = tx.selectFrom("forge_releases").selectAll().where("repository_id", "=", repositoryId);
      const views: ReleaseView[] = [];
      for (const row of await rows.orderBy("id", "desc").execute()) views.push(await releaseView(tx, row));
      return views;
    });
  }

  async get(repositoryId: string, id: number): Promise<ReleaseView | undefined> {
    return (await this.list(repositoryId)).find((release) => release.id === id);
  }

  /** Of a tag; drafts have none that counts. */
  async tagged(repositoryId: string, tag: string): Promise<ReleaseView | undefined> {
    return (await this.list(repositoryId)).find((release) => release.tag === tag && !release.draft);
  }

  /** The newest that is neither a draft nor a prerelease. */
  async latest(repositoryId: string): Promise<ReleaseView | undefined> {
    const ready = (await this.list(repositoryId)).filter((release) => !release.draft && !release.prerelease);
    return ready.toSorted((a, b) => (b.publishedAt ?? 0) - (a.publishedAt ?? 0) || b.id - a.id)[0];
  }

  async create(
    repository: RepositoryRef,
    change: ReleaseChange & { readonly tag: string; readonly target: string },
    author: string,
  ): Promise<ReleaseView> {
    checkRelease(change);
    return await this.#write(async (tx, nowMs) => {
      await requireFreeTag(tx, repository.id, change.tag, undefined);
      const draft = change.draft === true;
      const values = {
        repository_id: repository.id,
        tag: change.tag,
        target: change.target,
        name: change.name ?? "",
        body: change.body ?? "",
        draft: draft ? 1 : 0,
        prerelease: change.prerelease === true ? 1 : 0,
        author,
        created_at: nowMs,
        published_at: draft ? null : nowMs,
      };
      const { insertId } = await tx.insertInto("forge_releases").values(values).executeTakeFirstOrThrow();
      const release = await releaseView(tx, { ...values, id: Number(insertId) });
      await this.#tell(tx, repository, author, release, draft ? [] : publishing(release));
      return release;
    });
  }

  async update(repository: RepositoryRef, id: number, change: ReleaseChange, actor: string): Promise<ReleaseView> {
    checkRelease(change);
    return await this.#write(async (tx, nowMs) => {
      const row = await requireRelease(tx, repository.id, id);
      if (change.tag !== undefined && change.tag !== row.tag) await requireFreeTag(tx, repository.id, change.tag, id);
      const draft = change.draft ?? row.draft === 1;
      const published = row.draft === 1 && !draft;
      const values = {
        ...(change.tag === undefined ? {} : { tag: change.tag }),
        ...(change.target === undefined ? {} : { target: change.target }),
        ...(change.name === undefined ? {} : { name: change.name ?? "" }),
        ...(change.body === undefined ? {} : { body: change.body ?? "" }),
        ...(change.prerelease === undefined ? {} : { prerelease: change.prerelease ? 1 : 0 }),
        draft: draft ? 1 : 0,
        ...(published ? { published_at: nowMs } : {}),
      };
      await tx.updateTable("forge_releases").set(values).where("id", "=", id).execute();
      const release = await releaseView(tx, { ...row, ...values });
      await this.#tell(tx, repository, actor, release, published ? publishing(release) : draft ? [] : ["edited"]);
      return release;
    });
  }

  /** The files of its assets, which nothing names any more. */
  async delete(repository: RepositoryRef, id: number, actor: string): Promise<readonly string[]> {
    return await this.#write(async (tx) => {
      const release = await releaseView(tx, await requireRelease(tx, repository.id, id));
      await tx.deleteFrom("forge_releases").where("id", "=", id).execute();
      await this.#tell(tx, repository, actor, release, ["deleted"]);
      return release.assets.map((asset) => asset.file);
    });
  }

  /** Throws `forge/exists` when the release has one of the name. */
  async addAsset(repository: RepositoryRef, releaseId: number, asset: NewAsset, uploader: string): Promise<AssetView> {
    return await this.#write(async (tx, nowMs) => {
      await requireRelease(tx, repository.id, releaseId);
      const values = {
        release_id: releaseId,
        repository_id: repository.id,
        file: asset.file,
        name: asset.name,
        label: asset.label,
        content_type: asset.contentType,
        size: asset.size,
        digest: asset.digest,
        downloads: 0,
        uploader,
        created_at: nowMs,
      };
      const inserted = await tx
        .insertInto("forge_assets")
        .values(values)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) throw assetExists(asset.name);
      return assetView({ ...values, id: Number(inserted.insertId) });
    });
  }

  async asset(repositoryId: string, id: number): Promise<AssetView | undefined> {
    const row = await this.#parts.db
      .selectFrom("forge_assets")
      .selectAll()
      .where("repository_id", "=", repositoryId)
      .where("id", "=", id)
      .executeTakeFirst();
    return row === undefined ? undefined : assetView(row);
  }

  async updateAsset(
    repositoryId: string,
    id: number,
    change: { readonly name?: string; readonly label?: string },
  ): Promise<AssetView> {
    if (Object.keys(change).length > 0) {
      const values = this.#parts.db.updateTable("forge_assets").set(change).where("id", "=", id);
      await values.where("repository_id", "=", repositoryId).execute();
    }
    const asset = await this.asset(repositoryId, id);
    if (asset === undefined) throw notFound(`release asset ${id}`);
    return asset;
  }

  async downloaded(id: number): Promise<void> {
    await this.#parts.db
      .updateTable("forge_assets")
      .set((eb) => ({ downloads: eb("downloads", "+", 1) }))
      .where("id", "=", id)
      .execute();
  }

  /** The name of its file; undefined when there is none. */
  async deleteAsset(repositoryId: string, id: number): Promise<string | undefined> {
    const row = await this.#parts.db
      .deleteFrom("forge_assets")
      .where("repository_id", "=", repositoryId)
      .where("id", "=", id)
      .returning("file")
      .executeTakeFirst();
    return row?.file;
  }

  async files(): Promise<readonly string[]> {
    return (await this.#parts.db.selectFrom("forge_assets").select("file").execute()).map((row) => row.file);
  }

  async #tell(
    tx: ForgeTransaction,
    repository: RepositoryRef,
    actor: string,
    release: ReleaseView,
    actions: readonly string[],
  ): Promise<void> {
    for (const action of actions) {
      await this.#parts.events.append(tx, repository, actor, { kind: "release", action, release });
    }
  }

  async #write<T>(work: (tx: ForgeTransaction, nowMs: number) => Promise<T>): Promise<T> {
    const nowMs = this.#parts.clock.now().epochMilliseconds;
    const result = await this.#parts.db.transaction().execute((tx) => work(tx, nowMs));
    this.#parts.events.notify();
    return result;
  }
}

/** GitHub tells one thing in several words. */
function publishing({ prerelease }: ReleaseView): readonly string[] {
  return ["created", "published", prerelease ? "prereleased" : "released"];
}

async function requireFreeTag(
  tx: ForgeTransaction,
  repositoryId: string,
  tag: string,
  own: number | undefined,
): Promise<void> {
  const rows = await tx
    .selectFrom("forge_releases")
    .select("id")
    .where("repository_id", "=", repositoryId)
    .where("tag", "=", tag)
    .where("draft", "=", 0)
    .execute();
  if (rows.every((row) => row.id === own)) return;
  throw new ForgeError("forge/exists", `There is a release of tag "${tag}" already`, {
    details: [{ resource: "Release", field: "tag_name", code: "already_exists" }],
  });
}

function assetExists(name: string): ForgeError {
  return new ForgeError("forge/exists", `The release has an asset "${name}" already`, {
    details: [{ resource: "ReleaseAsset", field: "name", code: "already_exists" }],
  });
}

async function requireRelease(tx: ForgeTransaction, repositoryId: string, id: number): Promise<ReleaseRow> {
  const row = await tx
    .selectFrom("forge_releases")
    .selectAll()
    .where("repository_id", "=", repositoryId)
    .where("id", "=", id)
    .executeTakeFirst();
  if (row === undefined) throw notFound(`release ${id}`);
  return row;
}

function checkRelease({ tag, body, name }: ReleaseChange): void {
  if (tag !== undefined && (tag === "" || tag.length > 255)) {
    throw invalid("Release", "tag_name", "tag_name has 1 to 255 characters");
  }
  if ((body ?? "").length > maxBodyLength) {
    throw invalid("Release", "body", `Body is too long (maximum is ${maxBodyLength} characters)`);
  }
  if ((name ?? "").length > 255) throw invalid("Release", "name", "Name is too long (maximum is 255 characters)");
}

async function releaseView(tx: ForgeTransaction, row: ReleaseRow): Promise<ReleaseView> {
  const assets = tx.selectFrom("forge_assets").selectAll().where("release_id", "=", row.id).orderBy("id");
  const { id, tag, target, name, body, author } = row;
  return {
    id,
    tag,
    target,
    name,
    body,
    author,
    draft: row.draft === 1,
    prerelease: row.prerelease === 1,
    createdAt: row.created_at,
    publishedAt: row.published_at,
    assets: (await assets.execute()).map(assetView),
  };
}

function assetView(row: AssetRow): AssetView {
  const { id, file, name, label, size, digest, downloads, uploader } = row;
  const rest = { releaseId: row.release_id, contentType: row.content_type, createdAt: row.created_at };
  return { id, file, name, label, size, digest, downloads, uploader, ...rest };
}
