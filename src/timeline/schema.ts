import type { Generated, Kysely, Selectable } from "kysely";
import { type Database, migrate, type Migration } from "#lib";

export interface TimelineSchema {
  timeline_events: {
    sequence: Generated<number>;
    id: string;
    kind: string;
    at: string;
    subject: string;
    title: string;
    tone: string;
    actor: string | null;
    /** JSON object. */
    data: string;
  };
  timeline_causes: { effect: string; cause: string };
}

const migrations: readonly Migration[] = [
  {
    name: "0001-events",
    sql: `CREATE TABLE timeline_events (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      at TEXT NOT NULL,
      subject TEXT NOT NULL,
      title TEXT NOT NULL,
      tone TEXT NOT NULL,
      actor TEXT,
      data TEXT NOT NULL
    ) STRICT;
    CREATE INDEX timeline_events_kind ON timeline_events (kind, sequence);
    CREATE INDEX timeline_events_subject ON timeline_events (subject, sequence);
    CREATE TABLE timeline_causes (
      effect TEXT NOT NULL,
      cause TEXT NOT NULL,
      PRIMARY KEY (effect, cause)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX timeline_causes_cause ON timeline_causes (cause)`,
  },
];

export async function openTimelineTables(database: Database): Promise<Kysely<TimelineSchema>> {
  await migrate(database, "timeline", migrations);
  return database;
}

export type EventRow = Selectable<TimelineSchema["timeline_events"]>;
