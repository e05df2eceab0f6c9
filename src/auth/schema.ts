import type { Kysely } from "kysely";
import { type Database, migrate, type Migration } from "#lib";

/** Only hashes are stored: who reads the database learns no token. Tokens have 192 random bits, so a plain hash is enough. */
export interface AuthSchema {
  auth_tokens: {
    id: string;
    hash: string;
    name: string;
    /** JSON list of scopes. */
    scopes: string;
    created_at: string;
    /** Null: does not expire. */
    expires_at: string | null;
    /** `token`, or `session` for a browser. */
    kind: "token" | "session";
    /** Of a session: the token that opened it, with which it ends. */
    parent: string | null;
    /** Null: the token counts as nobody but itself. */
    username: string | null;
    /** JSON list of the groups of `username`. */
    user_groups: string | null;
  };
}

const migrations: readonly Migration[] = [
  {
    name: "0001-tokens",
    sql: `CREATE TABLE auth_tokens (
      id TEXT PRIMARY KEY,
      hash TEXT NOT NULL UNIQUE,
      name TEXT NOT NULL,
      scopes TEXT NOT NULL,
      created_at TEXT NOT NULL,
      expires_at TEXT,
      kind TEXT NOT NULL
    ) STRICT`,
  },
  { name: "0002-parents", sql: `ALTER TABLE auth_tokens ADD COLUMN parent TEXT` },
  {
    name: "0003-users",
    sql: `ALTER TABLE auth_tokens ADD COLUMN username TEXT;
      ALTER TABLE auth_tokens ADD COLUMN user_groups TEXT`,
  },
];

export async function openAuthTables(database: Database): Promise<Kysely<AuthSchema>> {
  await migrate(database, "auth", migrations);
  return database;
}
