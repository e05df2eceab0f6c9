/** How far each consumer of a sequence log has come, kept so that a restart goes on where it was. */
import type { Kysely } from "kysely";
import {
  backoffDelayMs,
  type Backoff,
  type Clock,
  type Database,
  type Log,
  migrate,
  type Sequenced,
  type SequenceLog,
} from "#lib";

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

export interface Consumer<Row extends Sequenced> {
  readonly source: SequenceLog<Row>;
  readonly positions: Positions;
  /** Whose position it is. */
  readonly consumer: string;
  /** May be called again for a row it has handled already. */
  readonly handle: (row: Row, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** 0.1 s, 0.4 s, … 6.4 s, 10 s: a row is passed over after about 19 s of failures. */
const again: Backoff = { initialMs: 100, factor: 4, maxMs: 10_000, jitter: 0 };
const maxTries = 6;

/**
 * Hands every row to `handle`, in order, then moves the position on: at least once each, so `handle` must be one that
 * may be repeated. A row that cannot be handled is tried again, for a busy disk or a lack of processes passes; then it is
 * logged and passed over, for the rows after it must not wait for ever.
 */
export async function consume<Row extends Sequenced>(consumer: Consumer<Row>, signal: AbortSignal): Promise<void> {
  const { source, positions, consumer: name } = consumer;
  for await (const row of source.follow(await positions.get(name), signal)) {
    await handleRow(consumer, row, signal);
    if (signal.aborted) return;
    await positions.set(name, row.sequence);
  }
}

async function handleRow<Row extends Sequenced>(
  { consumer, handle, clock, log }: Consumer<Row>,
  row: Row,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await handle(row, signal);
      return;
    } catch (error) {
      if (signal.aborted) return;
      const fields = { consumer, sequence: row.sequence, tries, error };
      if (tries >= maxTries) {
        log.error("Cannot handle a recorded change, passing it over", fields);
        return;
      }
      log.warn("Cannot handle a recorded change, trying again", fields);
      await clock.sleep(backoffDelayMs(again, tries - 1, 0), signal).catch(() => {});
      if (signal.aborted) return;
    }
  }
}
