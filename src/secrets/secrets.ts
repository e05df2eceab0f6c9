/**
 * Secrets of workflows, encrypted at rest (see `seal.ts`).
 *
 * Invariant: every stored data key is wrapped by a key that the key store holds. A rotation keeps it at each instruction:
 * the store first holds the new key beside the old; one transaction wraps all data keys again; only when the database has
 * synced that to the disk does the store let go of the old key. What a crash interrupts, the next opening finishes.
 */
import { sql } from "kysely";
import { type Clock, KeyedLock, type Log, toTimestamp } from "#lib";
import { checkRoom, checkValue, entryName, noSuchEntry } from "./entry.ts";
import { SecretsError } from "./errors.ts";
import { type KeyRing, newMasterKey } from "./key-ring.ts";
import type { KeyStorePort } from "./ports.ts";
import type { SecretRow, SecretsDatabase } from "./schema.ts";
import { type Reader, type Scope, scopeKey, scopesOf } from "./scope.ts";
import { rewrap, seal, type Sealed, unseal } from "./seal.ts";

/** What anybody but a job gets to see of a secret. */
export interface SecretEntry {
  readonly name: string;
  /** RFC 3339. */
  readonly updatedAt: string;
}

export interface SecretsParts {
  readonly db: SecretsDatabase;
  readonly keys: KeyStorePort;
  readonly clock: Clock;
  readonly log: Log;
}

export class Secrets {
  readonly #parts: SecretsParts;
  /** Whoever uses keys sees those that belong to the rows: reading and writing exclude a rotation. */
  readonly #lock = new KeyedLock();

  constructor(parts: SecretsParts) {
    this.#parts = parts;
  }

  async list(scope: Scope): Promise<readonly SecretEntry[]> {
    const rows = await this.#parts.db
      .selectFrom("secrets_secrets")
      .select(["name", "updated_at"])
      .where("scope", "=", scopeKey(scope))
      .orderBy("name")
      .execute();
    return rows.map(({ name, updated_at }) => ({ name, updatedAt: updated_at }));
  }

  /** @throws SecretsError when the name or value cannot be one, or the keys are not there */
  async set(scope: Scope, text: string, value: string): Promise<SecretEntry> {
    const name = entryName("secret", text);
    checkValue("secret", name, value);
    const place = { scope: scopeKey(scope), name };
    const updatedAt = toTimestamp(this.#parts.clock.now());
    await this.#withKeys(async (ring) => {
      const sealed = columnsOf(seal(value, place, ring[0]));
      await this.#parts.db.transaction().execute(async (tx) => {
        const rows = tx.selectFrom("secrets_secrets").select("name").where("scope", "=", place.scope);
        const others = await rows.where("name", "!=", name).execute();
        checkRoom("secret", name, scope, others.length);
        await tx
          .insertInto("secrets_secrets")
          .values({ ...place, ...sealed, updated_at: updatedAt })
          .onConflict((conflict) => {
            return conflict.columns(["scope", "name"]).doUpdateSet({ ...sealed, updated_at: updatedAt });
          })
          .execute();
      });
    });
    return { name, updatedAt };
  }

  /** @throws SecretsError when there is none */
  async delete(scope: Scope, text: string): Promise<void> {
    const name = entryName("secret", text);
    const gone = await this.#parts.db
      .deleteFrom("secrets_secrets")
      .where("scope", "=", scopeKey(scope))
      .where("name", "=", name)
      .executeTakeFirst();
    if (gone.numDeletedRows === 0n) throw noSuchEntry("secret", name, scope);
  }

  /** Those of one scope, by name. @throws SecretsError when one cannot be read */
  async valuesOf(scope: Scope): Promise<Readonly<Record<string, string>>> {
    return await this.#values([scopeKey(scope)]);
  }

  /** By name, each from the scope that wins. @throws SecretsError when one cannot be read: none is left out silently */
  async valuesFor(reader: Reader): Promise<Readonly<Record<string, string>>> {
    return await this.#values(scopesOf(reader).map(scopeKey));
  }

  /** @param scopes the one that wins last */
  async #values(scopes: readonly string[]): Promise<Readonly<Record<string, string>>> {
    return await this.#lock.run("keys", async () => {
      const rows = await this.#parts.db
        .selectFrom("secrets_secrets")
        .selectAll()
        .where("scope", "in", scopes)
        .execute();
      if (rows.length === 0) return {};
      const ring = await this.#ring();
      const winning = new Map<string, SecretRow>();
      for (const scope of scopes) for (const row of rows) if (row.scope === scope) winning.set(row.name, row);
      return Object.fromEntries([...winning.values()].map((row) => [row.name, unseal(sealedOf(row), row, ring)]));
    });
  }

  /** Wraps every data key with a new key and forgets the former ones; how many. Finishes an unfinished rotation first. */
  async rotate(): Promise<number> {
    return await this.#withKeys(async (ring) => {
      const settled = await this.#settle(ring);
      if (settled.ring.length > 1) throw notSynced();
      const next: KeyRing = [newMasterKey(), ...settled.ring];
      await this.#parts.keys.write(next);
      return (await this.#settle(next)).count;
    });
  }

  /** Ends what a crash interrupted. */
  async finishRotation(): Promise<void> {
    await this.#lock.run("keys", async () => {
      const ring = await this.#parts.keys.read();
      if (ring === undefined || ring.length === 1) return;
      await this.#settle(ring);
      this.#parts.log.info("Finished the rotation of the secrets' key");
    });
  }

  /** Brings all rows under the first key of the ring, then drops the others. */
  async #settle(ring: KeyRing): Promise<{ readonly ring: KeyRing; readonly count: number }> {
    const [current, ...former] = ring;
    if (former.length === 0) return { ring, count: 0 };
    const known = former.map(({ id }) => id);
    const count = await this.#parts.db.transaction().execute(async (tx) => {
      const rows = await tx.selectFrom("secrets_secrets").selectAll().where("key_id", "in", known).execute();
      for (const row of rows) {
        const { key_id, wrapped_key } = columnsOf(rewrap(sealedOf(row), row, ring, current));
        await tx
          .updateTable("secrets_secrets")
          .set({ key_id, wrapped_key })
          .where("scope", "=", row.scope)
          .where("name", "=", row.name)
          .execute();
      }
      return rows.length;
    });
    if (!(await this.#synced())) {
      this.#parts.log.warn("The former key of the secrets is kept until the next start: the database was busy");
      return { ring, count };
    }
    const settled: KeyRing = [current];
    await this.#parts.keys.write(settled);
    return { ring: settled, count };
  }

  /**
   * With synchronous=NORMAL a loss of power may take back the last commits. A checkpoint syncs them: only after it may
   * the key go that the rows had before. It also takes the former wrappings out of the write-ahead log.
   */
  async #synced(): Promise<boolean> {
    const { rows } = await sql<{ busy: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(this.#parts.db);
    return rows[0]?.busy === 0;
  }

  async #withKeys<T>(work: (ring: KeyRing) => Promise<T>): Promise<T> {
    return await this.#lock.run("keys", async () => await work(await this.#ring()));
  }

  /** The keys as they lie, so that a file brought back from a copy counts at once. Made with the first secret. */
  async #ring(): Promise<KeyRing> {
    const ring = await this.#parts.keys.read();
    if (ring !== undefined) return ring;
    const row = await this.#parts.db.selectFrom("secrets_secrets").select("key_id").limit(1).executeTakeFirst();
    if (row !== undefined) {
      const message = `Cannot use secrets: the key file is gone, and there are secrets under its key ${row.key_id}. Bring it back from a copy, or delete those secrets`;
      throw new SecretsError("secrets/key-missing", message);
    }
    const made: KeyRing = [newMasterKey()];
    await this.#parts.keys.write(made);
    return made;
  }
}

function notSynced(): SecretsError {
  const message = "Cannot rotate the secrets' key: an earlier rotation is not over, as the database is busy. Try again";
  return new SecretsError("secrets/busy-conflict", message);
}

function columnsOf(sealed: Sealed): Pick<SecretRow, "key_id" | "wrapped_key" | "sealed_value"> {
  return { key_id: sealed.keyId, wrapped_key: sealed.wrappedKey, sealed_value: sealed.sealedValue };
}

function sealedOf(row: SecretRow): Sealed {
  return { keyId: row.key_id, wrappedKey: row.wrapped_key, sealedValue: row.sealed_value };
}
