/** The event log and its causal links. Knows nothing of what the events mean. */
import type { Kysely, Transaction } from "kysely";
import type { RecordedEvent, TimelineEvent, TimelineKind, TimelineTone, Trace } from "#api";
import { Channel, type Database } from "#lib";
import { type EventRow, openTimelineTables, type TimelineSchema } from "./schema.ts";

export interface TimelineQuery {
  readonly kinds?: readonly TimelineKind[];
  readonly subject?: string;
  /** Only events recorded before this sequence, for paging back. */
  readonly before?: number;
  /** At most 1,000. */
  readonly limit: number;
}

/** A walk ends here: one commit does not have more consequences than this. */
const maxTraceEvents = 2000;
const maxQueryLimit = 1000;

export class Timeline {
  readonly #db: Kysely<TimelineSchema>;
  readonly #channel = new Channel<RecordedEvent>();

  private constructor(db: Kysely<TimelineSchema>) {
    this.#db = db;
  }

  static async open(database: Database): Promise<Timeline> {
    return new Timeline(await openTimelineTables(database));
  }

  /**
   * Records the event once: an event whose id is known is left as it is, so callers may repeat themselves after a
   * crash, and what they learnt later does not rewrite history. Returns whether it was new.
   */
  async record(event: TimelineEvent): Promise<boolean> {
    const sequence = await this.#db.transaction().execute((transaction) => insertEvent(transaction, event));
    if (sequence === undefined) return false;
    this.#channel.send({ ...event, sequence });
    return true;
  }

  async get(id: string): Promise<RecordedEvent | undefined> {
    return (await this.#load([id]))[0];
  }

  /** Newest first. */
  async list(query: TimelineQuery): Promise<RecordedEvent[]> {
    let select = this.#db.selectFrom("timeline_events").select("id").orderBy("sequence", "desc");
    if (query.kinds !== undefined) select = select.where("kind", "in", query.kinds);
    if (query.subject !== undefined) select = select.where("subject", "=", query.subject);
    if (query.before !== undefined) select = select.where("sequence", "<", query.before);
    const rows = await select.limit(Math.min(query.limit, maxQueryLimit)).execute();
    return (await this.#load(rows.map((row) => row.id))).sort((a, b) => b.sequence - a.sequence);
  }

  /** All that led to the event and all that followed from it. Undefined when nobody recorded it. */
  async trace(id: string): Promise<Trace | undefined> {
    if ((await this.get(id)) === undefined) return undefined;
    const before = await this.#walk(id, "effect", "cause");
    const after = await this.#walk(id, "cause", "effect");
    const events = await this.#load([...new Set([id, ...before, ...after])]);
    return {
      from: id,
      events: events.sort((a, b) => (a.at === b.at ? a.sequence - b.sequence : a.at < b.at ? -1 : 1)),
    };
  }

  /** Every event recorded from now on. */
  subscribe(signal: AbortSignal): AsyncIterableIterator<RecordedEvent> & Disposable {
    return this.#channel.subscribe(signal);
  }

  async #walk(start: string, from: "cause" | "effect", to: "cause" | "effect"): Promise<Set<string>> {
    const seen = new Set<string>([start]);
    let frontier = [start];
    while (frontier.length > 0 && seen.size < maxTraceEvents) {
      const rows = await this.#db
        .selectFrom("timeline_causes")
        .select(`${to} as id`)
        .where(from, "in", frontier.slice(0, 500))
        .execute();
      frontier = [...frontier.slice(500), ...rows.map((row) => row.id).filter((next) => !seen.has(next))];
      for (const next of frontier) seen.add(next);
    }
    return seen;
  }

  async #load(ids: readonly string[]): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for (let start = 0; start < ids.length; start += 500) {
      const part = ids.slice(start, start + 500);
      const rows = await this.#db.selectFrom("timeline_events").selectAll().where("id", "in", part).execute();
      const links = await this.#db.selectFrom("timeline_causes").selectAll().where("effect", "in", part).execute();
      const causes = Map.groupBy(links, (link) => link.effect);
      for (const row of rows) events.push(eventOf(row, causes.get(row.id)?.map((link) => link.cause) ?? []));
    }
    return events;
  }
}

async function insertEvent(db: Transaction<TimelineSchema>, event: TimelineEvent): Promise<number | undefined> {
  const { causes, actor, data, ...plain } = event;
  const known = await db.selectFrom("timeline_events").select("id").where("id", "=", event.id).executeTakeFirst();
  if (known !== undefined) return undefined;
  for (const cause of causes) {
    await db
      .insertInto("timeline_causes")
      .values({ effect: event.id, cause })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  const row = { ...plain, actor: actor ?? null, data: JSON.stringify(data) };
  const result = await db.insertInto("timeline_events").values(row).executeTakeFirst();
  return Number(result.insertId);
}

function eventOf(row: EventRow, causes: readonly string[]): RecordedEvent {
  return {
    sequence: row.sequence,
    id: row.id,
    kind: row.kind as TimelineKind,
    at: row.at,
    subject: row.subject,
    title: row.title,
    tone: row.tone as TimelineTone,
    ...(row.actor === null ? {} : { actor: row.actor }),
    causes,
    data: JSON.parse(row.data) as RecordedEvent["data"],
  };
}
