/** The tables of this room. `scope` is what `scopeKey` makes. */
import type { Kysely } from "kysely";
import { type Database, migrate, type Migration } from "#lib";

export interface SecretRow {
  readonly scope: string;
  readonly name: string;
  readonly key_id: string;
  readonly wrapped_key: Uint8Array;
  readonly sealed_value: Uint8Array;
  readonly updated_at: string;
}

interface VariableRow {
  readonly scope: string;
  readonly name: string;
  readonly value: string;
  readonly updated_at: string;
}

interface SecretsSchema {
  secrets_secrets: SecretRow;
  secrets_variables: VariableRow;
}

export type SecretsDatabase = Kysely<SecretsSchema>;

const migrations: readonly Migration[] = [
  {
    name: "0001-secrets-and-variables",
    sql: `CREATE TABLE secrets_secrets (
      scope TEXT NOT NULL,
      name TEXT NOT NULL,
      key_id TEXT NOT NULL,
      wrapped_key BLOB NOT NULL,
      sealed_value BLOB NOT NULL,
      updated_at TEXT NOT NULL,
      PRIMARY KEY (scope, name)
    ) STRICT;
    CREATE TABLE secrets_variables (
      scope TEXT NOT NULL,
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      updated_at TEXT NOT NULL,
      PRIMARY KEY (scope, name)
    ) STRICT`,
  },
];

export async function openSecretTables(database: Database): Promise<SecretsDatabase> {
  await migrate(database, "secrets", migrations);
  return database;
}
