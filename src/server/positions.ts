/** How far each consumer of a sequence log has come, kept so that a restart goes on where it was. */
import type { Kysely } from "kysely";
import { type Database, type Log, migrate, type Sequenced, type SequenceLog } from "#lib";

interface PositionSchema {
  server_positions: { consumer: string; sequence: number };
}

export class Positions {
  readonly #db: Kysely<PositionSchema>;

  private constructor(db: Kysely<PositionSchema>) {
    this.#db = db;
  }

  static async open(database: Database): Promise<Positions> {
    const sql = `CREATE TABLE server_positions (consumer TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT`;
    await migrate(database, "server", [{ name: "0001-positions", sql }]);
    return new Positions(database);
  }

  async get(consumer: string): Promise<number> {
    const row = await this.#db
      .selectFrom("server_positions")
      .select("sequence")
      .where("consumer", "=", consumer)
      .executeTakeFirst();
    return row?.sequence ?? 0;
  }

  async set(consumer: string, sequence: number): Promise<void> {
    await this.#db
      .insertInto("server_positions")
      .values({ consumer, sequence })
      .onConflict((conflict) => conflict.column("consumer").doUpdateSet({ sequence }))
      .execute();
  }
}

/**
 * Hands every row to `handle`, in order, then moves the position on: at least once each, so `handle` must be one that
 * may be repeated. A row that cannot be handled is logged and passed over, for the rows after it must not wait for
 * ever; what it meant is found again by the level-based parts.
 */
export async function consume<Row extends Sequenced>(
  source: SequenceLog<Row>,
  positions: Positions,
  consumer: string,
  handle: (row: Row, signal: AbortSignal) => Promise<void>,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  for await (const row of source.follow(await positions.get(consumer), signal)) {
    try {
      await handle(row, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.error("Cannot handle a recorded change", { consumer, sequence: row.sequence, error });
    }
    await positions.set(consumer, row.sequence);
  }
}
