import { type Clock, type Database, type Log } from "#lib";
import type { KeyStorePort } from "./ports.ts";
import { openSecretTables } from "./schema.ts";
import { scopeKey } from "./scope.ts";
import { Secrets } from "./secrets.ts";
import { Variables } from "./variables.ts";

export interface SecretsOptions {
  readonly database: Database;
  readonly keys: KeyStorePort;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SecretsRoom {
  readonly secrets: Secrets;
  readonly variables: Variables;
  /** Deletes all that belongs to the repository, `owner/name`: another one of its name must not come into it. */
  forget(repository: string): Promise<void>;
  /** Deletes all that belongs to one environment of it. */
  forgetEnvironment(repository: string, environment: string): Promise<void>;
}

export async function openSecrets(options: SecretsOptions): Promise<SecretsRoom> {
  const { keys, clock, log } = options;
  const db = await openSecretTables(options.database);
  const secrets = new Secrets({ db, keys, clock, log });
  try {
    await secrets.finishRotation();
  } catch (error) {
    // Everything else goes on without: a job that needs a secret which cannot be read fails and says so.
    log.error("The keys of the secrets cannot be used", { error });
  }
  return {
    secrets,
    variables: new Variables(db, clock),
    async forget(repository) {
      const own = scopeKey({ kind: "repository", repository });
      await db.transaction().execute(async (tx) => {
        for (const table of ["secrets_secrets", "secrets_variables"] as const) {
          await tx.deleteFrom(table).where("scope", "=", own).execute();
          // From the first to past the last text that begins with `owner/name#`: "$" follows "#".
          await tx.deleteFrom(table).where("scope", ">=", `${own}#`).where("scope", "<", `${own}$`).execute();
        }
      });
    },
    async forgetEnvironment(repository, environment) {
      const own = scopeKey({ kind: "environment", repository, environment });
      await db.transaction().execute(async (tx) => {
        for (const table of ["secrets_secrets", "secrets_variables"] as const) {
          await tx.deleteFrom(table).where("scope", "=", own).execute();
        }
      });
    },
  };
}
