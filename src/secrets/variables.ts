/** Variables of workflows: plain text for everyone who may read the repository. */
import { type Clock, toTimestamp } from "#lib";
import { checkRoom, checkValue, entryName, limits, noSuchEntry } from "./entry.ts";
import { SecretsError } from "./errors.ts";
import type { SecretsDatabase } from "./schema.ts";
import { type Reader, type Scope, scopeKey, scopesOf, scopeText } from "./scope.ts";

export interface VariableEntry {
  readonly name: string;
  readonly value: string;
  /** RFC 3339. */
  readonly updatedAt: string;
}

export class Variables {
  readonly #db: SecretsDatabase;
  readonly #clock: Clock;

  constructor(db: SecretsDatabase, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  async list(scope: Scope): Promise<readonly VariableEntry[]> {
    const rows = await this.#rows(scope);
    return rows.map(({ name, value, updated_at }) => ({ name, value, updatedAt: updated_at }));
  }

  /** @throws SecretsError when the name or value cannot be one */
  async set(scope: Scope, text: string, value: string): Promise<Omit<VariableEntry, "value">> {
    const name = entryName("variable", text);
    checkValue("variable", name, value);
    const key = scopeKey(scope);
    const row = { scope: key, name, value, updated_at: toTimestamp(this.#clock.now()) };
    await this.#db.transaction().execute(async (tx) => {
      const rows = await tx.selectFrom("secrets_variables").selectAll().where("scope", "=", key).execute();
      const others = rows.filter((other) => other.name !== name);
      checkRoom("variable", name, scope, others.length);
      checkTotal(name, scope, [...others, row]);
      const { value: newValue, updated_at } = row;
      await tx
        .insertInto("secrets_variables")
        .values(row)
        .onConflict((conflict) => conflict.columns(["scope", "name"]).doUpdateSet({ value: newValue, updated_at }))
        .execute();
    });
    return { name, updatedAt: row.updated_at };
  }

  /** @throws SecretsError when there is none */
  async delete(scope: Scope, text: string): Promise<void> {
    const name = entryName("variable", text);
    const gone = await this.#db
      .deleteFrom("secrets_variables")
      .where("scope", "=", scopeKey(scope))
      .where("name", "=", name)
      .executeTakeFirst();
    if (gone.numDeletedRows === 0n) throw noSuchEntry("variable", name, scope);
  }

  /** By name, each from the scope that wins. */
  async valuesFor(reader: Reader): Promise<Readonly<Record<string, string>>> {
    const values: Record<string, string> = {};
    for (const scope of scopesOf(reader)) for (const row of await this.#rows(scope)) values[row.name] = row.value;
    return values;
  }

  async #rows(scope: Scope): Promise<readonly { name: string; value: string; updated_at: string }[]> {
    return await this.#db
      .selectFrom("secrets_variables")
      .select(["name", "value", "updated_at"])
      .where("scope", "=", scopeKey(scope))
      .orderBy("name")
      .execute();
  }
}

function checkTotal(
  name: string,
  scope: Scope,
  all: readonly { readonly name: string; readonly value: string }[],
): void {
  const length = all.reduce((sum, row) => sum + row.name.length + row.value.length, 0);
  if (length <= limits.variablesLength) return;
  const message = `Cannot set variable "${name}" of ${scopeText(scope)}: its variables would be ${length} characters together, and at most ${limits.variablesLength} are possible`;
  throw new SecretsError("secrets/too-large", message);
}
