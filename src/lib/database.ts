/**
 * Relational state over SQLite through Kysely, so that PostgreSQL can take its place. One connection for the process:
 * Kysely's own mutex keeps transactions apart, and nothing else writes the same file (the object store has its own).
 *
 * WAL with synchronous=NORMAL: what is committed survives a killed process; a lost power supply may take back the last
 * commits, but never corrupts the file.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from "kysely";

export type Database = Kysely<unknown>;

/** Opens (and creates) the file; `:memory:` for tests. Destroy it to close the file. */
export function openDatabase(file: string): Database {
  return new Kysely<unknown>({ dialect: nodeSqliteDialect(file) });
}

export interface Migration {
  /** Unique within the room; never renamed. Applied in the order given, once each. */
  readonly name: string;
  readonly sql: string;
}

/** Brings the tables of `room` up to date in one transaction each. */
export async function migrate(database: Database, room: string, migrations: readonly Migration[]): Promise<void> {
  const db = database as Kysely<{ migrations: { room: string; name: string } }>;
  await db.schema
    .createTable("migrations")
    .ifNotExists()
    .addColumn("room", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("migrations_key", ["room", "name"])
    .execute();
  const rows = await db.selectFrom("migrations").select("name").where("room", "=", room).execute();
  const applied = new Set(rows.map((row) => row.name));
  for (const migration of migrations) {
    if (applied.has(migration.name)) continue;
    await db.transaction().execute(async (transaction) => {
      for (const statement of migration.sql.split(/;\s*\n/)) {
        if (statement.trim() !== "") await transaction.executeQuery(rawQuery(statement));
      }
      await transaction.insertInto("migrations").values({ room, name: migration.name }).execute();
    });
  }
}

function rawQuery(sql: string): CompiledQuery {
  return {
    sql,
    parameters: [],
    query: { kind: "RawNode", sqlFragments: [sql], parameters: [] } as never,
    queryId: { queryId: "" },
  };
}

function nodeSqliteDialect(file: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new NodeSqliteDriver(file),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class NodeSqliteDriver implements Driver {
  readonly #file: string;
  #connection: NodeSqliteConnection | undefined;
  #free: Promise<void> = Promise.resolve();
  #release: (() => void) | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  async init(): Promise<void> {
    const database = new DatabaseSync(this.#file);
    database.exec(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA busy_timeout=5000;",
    );
    this.#connection = new NodeSqliteConnection(database);
    await Promise.resolve();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    const free = this.#free;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#free = free.then(() => promise);
    await free;
    this.#release = resolve;
    return this.#connection as NodeSqliteConnection;
  }

  async beginTransaction(): Promise<void> {
    this.#connection?.exec("BEGIN IMMEDIATE");
    await Promise.resolve();
  }

  async commitTransaction(): Promise<void> {
    this.#connection?.exec("COMMIT");
    await Promise.resolve();
  }

  async rollbackTransaction(): Promise<void> {
    this.#connection?.exec("ROLLBACK");
    await Promise.resolve();
  }

  async releaseConnection(): Promise<void> {
    this.#release?.();
    await Promise.resolve();
  }

  async destroy(): Promise<void> {
    this.#connection?.close();
    this.#connection = undefined;
    await Promise.resolve();
  }
}

interface Prepared {
  readonly statement: StatementSync;
  readonly hasRows: boolean;
}

/** Most of what a process asks again and again; preparing a statement costs more than running it. */
const keptStatements = 500;

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, Prepared>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }

  executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const { statement, hasRows } = this.#prepare(query.sql);
      const parameters = query.parameters as SQLInputValue[];
      if (hasRows) {
        return Promise.resolve({ rows: statement.all(...parameters) as R[] });
      }
      const { changes, lastInsertRowid } = statement.run(...parameters);
      return Promise.resolve({ numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid), rows: [] });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** The longest unused goes first. SQLite itself prepares one again when the schema has changed. */
  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) {
      this.#prepared.delete(sql);
      this.#prepared.set(sql, known);
      return known;
    }
    const statement = this.#database.prepare(sql);
    const fresh = { statement, hasRows: statement.columns().length > 0 };
    this.#prepared.set(sql, fresh);
    const oldest = this.#prepared.size > keptStatements ? this.#prepared.keys().next().value : undefined;
    if (oldest !== undefined) this.#prepared.delete(oldest);
    return fresh;
  }

  // SQLite answers at once and whole; streaming would only hold the single connection.
  // oxlint-disable-next-line require-yield -- the interface wants a generator
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("Cannot stream a query: the SQLite connection does not support it");
  }
}
