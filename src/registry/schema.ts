/** The tables of the registry. Times are milliseconds since 1970 where they are compared, RFC 3339 where they are shown. */
import type { Database, Migration } from "#lib";
import type { Generated, Kysely } from "kysely";

export const migrations: readonly Migration[] = [
  {
    name: "001-content-and-pushes",
    sql: `
CREATE TABLE registry_blobs (
  digest TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL
);
CREATE TABLE registry_links (
  repository TEXT NOT NULL,
  digest TEXT NOT NULL,
  leased_at INTEGER NOT NULL,
  PRIMARY KEY (repository, digest)
);
CREATE INDEX registry_links_by_digest ON registry_links (digest);
CREATE TABLE registry_manifests (
  repository TEXT NOT NULL,
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  content BLOB NOT NULL,
  subject TEXT,
  artifact_type TEXT,
  annotations TEXT NOT NULL,
  pushed_at TEXT NOT NULL,
  PRIMARY KEY (repository, digest)
);
CREATE INDEX registry_manifests_by_subject ON registry_manifests (repository, subject, digest);
CREATE TABLE registry_references (
  repository TEXT NOT NULL,
  digest TEXT NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (repository, digest, target)
);
CREATE INDEX registry_references_by_target ON registry_references (repository, target);
CREATE TABLE registry_tags (
  repository TEXT NOT NULL,
  tag TEXT NOT NULL,
  digest TEXT NOT NULL,
  pushed_at TEXT NOT NULL,
  PRIMARY KEY (repository, tag)
);
CREATE INDEX registry_tags_by_digest ON registry_tags (repository, digest);
CREATE TABLE registry_uploads (
  id TEXT NOT NULL PRIMARY KEY,
  repository TEXT NOT NULL,
  touched_at INTEGER NOT NULL
);
CREATE TABLE registry_pushes (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  repository TEXT NOT NULL,
  tag TEXT,
  digest TEXT NOT NULL,
  media_type TEXT NOT NULL,
  pushed_at TEXT NOT NULL,
  pusher TEXT NOT NULL
);
`,
  },
];

export interface ManifestRow {
  readonly repository: string;
  readonly digest: string;
  readonly media_type: string;
  readonly content: Uint8Array;
  readonly subject: string | null;
  /** As the referrers API shows it. */
  readonly artifact_type: string | null;
  /** JSON object. */
  readonly annotations: string;
  readonly pushed_at: string;
}

export interface RegistrySchema {
  registry_blobs: { readonly digest: string; readonly size: number };
  /**
   * A repository may serve a blob only through its own link, so what one repository holds cannot be probed from
   * another. `leased_at` is when a client last had reason to think that it need not upload the blob.
   */
  registry_links: { readonly repository: string; readonly digest: string; readonly leased_at: number };
  registry_manifests: ManifestRow;
  /** Blobs and child manifests that a manifest keeps alive. */
  registry_references: { readonly repository: string; readonly digest: string; readonly target: string };
  registry_tags: {
    readonly repository: string;
    readonly tag: string;
    readonly digest: string;
    readonly pushed_at: string;
  };
  registry_uploads: { readonly id: string; readonly repository: string; readonly touched_at: number };
  registry_pushes: {
    readonly sequence: Generated<number>;
    readonly repository: string;
    readonly tag: string | null;
    readonly digest: string;
    readonly media_type: string;
    readonly pushed_at: string;
    readonly pusher: string;
  };
}

/** The one place where the shared database is seen with the registry's tables. */
export function registryDatabase(database: Database): Kysely<RegistrySchema> {
  return database;
}
