/**
 * Commit statuses on their way to the forge that is mirrored: written down when a run changes, sent until they are taken.
 * A newer word about a commit and context takes the place of an older one that was not sent.
 */
import { backoffDelayMs, errorCode, errorMessage, Wake, type Backoff, type Clock, type Ids, type Log } from "#lib";
import type { ForgeDatabase, OutboxRow } from "./schema.ts";
import type { StatusState } from "./statuses.ts";

export interface OutgoingStatus {
  readonly repositoryId: string;
  readonly sha: string;
  readonly context: string;
  readonly state: StatusState;
  readonly description: string;
  readonly targetUrl: string;
}

/** Sends one; a throw is a failure. Its message must be free of the token. `forge/refused`: of this status alone. */
export interface StatusPort {
  send(status: OutgoingStatus, signal: AbortSignal): Promise<void>;
}

/** 2 s, 4 s, … an hour. */
const again: Backoff = { initialMs: 2000, factor: 2, maxMs: 3_600_000, jitter: 0.2 };
/** Somebody mends a remote, or its token, within a day. */
const maxAgeMs = 26 * 3_600_000;
const keptMs = 30 * 24 * 3_600_000;

export interface OutboxParts {
  readonly db: ForgeDatabase;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

export class Outbox {
  readonly #parts: OutboxParts;
  readonly #wake = new Wake();

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** @param key telling it twice sends it once */
  async put(key: string, status: OutgoingStatus): Promise<void> {
    const { repositoryId, sha, context } = status;
    const nowMs = this.#parts.clock.now().epochMilliseconds;
    const subject = `${repositoryId} ${sha} ${context}`;
    await this.#parts.db.transaction().execute(async (tx) => {
      const known = await tx.selectFrom("forge_outbox").select("id").where("key", "=", key).executeTakeFirst();
      if (known !== undefined) return;
      const older = tx.updateTable("forge_outbox").set({ sent_at: nowMs, problem: "a newer one took its place" });
      await older.where("subject", "=", subject).where("sent_at", "is", null).execute();
      const words = { repository_id: repositoryId, key, sha, status_json: JSON.stringify(status), subject };
      await tx
        .insertInto("forge_outbox")
        .values({ ...words, tries: 0, due_at: nowMs, put_at: nowMs, problem: null, sent_at: null })
        .execute();
      await tx
        .deleteFrom("forge_outbox")
        .where("sent_at", "<", nowMs - keptMs)
        .execute();
    });
    this.#wake.notify();
  }

  /** Those that were not sent yet. */
  async waiting(repositoryId: string): Promise<readonly { readonly problem: string | null; readonly tries: number }[]> {
    return await this.#parts.db
      .selectFrom("forge_outbox")
      .select(["problem", "tries"])
      .where("repository_id", "=", repositoryId)
      .where("sent_at", "is", null)
      .execute();
  }

  /** The remote is there: what waits for it to come back need not wait any longer, and goes in the order it was put. */
  async hurry(repositoryId: string): Promise<void> {
    const nowMs = this.#parts.clock.now().epochMilliseconds;
    await this.#delayed(repositoryId, nowMs, ">").set({ due_at: nowMs }).execute();
    this.#wake.notify();
  }

  /** Sends what is due, as it becomes due, until the signal aborts. */
  async run(port: StatusPort, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      const next = await this.#next();
      const waitMs = next === undefined ? undefined : next.due_at - clock.now().epochMilliseconds;
      if (next !== undefined && (waitMs ?? 0) <= 0) {
        await this.#send(next, port, signal);
        continue;
      }
      using _due = waitMs === undefined ? undefined : clock.schedule(waitMs, () => this.#wake.notify());
      await this.#wake.wait(signal).catch(() => {});
    }
  }

  async #next(): Promise<OutboxRow | undefined> {
    const rows = this.#parts.db.selectFrom("forge_outbox").selectAll().where("sent_at", "is", null);
    return await rows.orderBy("due_at").orderBy("id").limit(1).executeTakeFirst();
  }

  async #send(row: OutboxRow, port: StatusPort, signal: AbortSignal): Promise<void> {
    const { clock, ids, log } = this.#parts;
    try {
      await port.send(JSON.parse(row.status_json) as OutgoingStatus, signal);
      await this.#save(row.id, { sent_at: clock.now().epochMilliseconds, problem: null });
      await this.hurry(row.repository_id);
    } catch (error) {
      if (signal.aborted) return;
      const nowMs = clock.now().epochMilliseconds;
      const tries = row.tries + 1;
      const problem = errorMessage(error).slice(0, 500);
      const over = nowMs - row.put_at >= maxAgeMs;
      const due = Math.round(nowMs + backoffDelayMs(again, row.tries, ids.random()));
      await this.#save(row.id, { tries, problem, due_at: due, sent_at: over ? nowMs : null });
      // One that is away is asked again for one status, not for each of a hundred.
      if (errorCode(error) !== "forge/refused") {
        await this.#delayed(row.repository_id, due, "<").set({ due_at: due }).execute();
      }
      const fields = { repository: row.repository_id, sha: row.sha, tries, problem };
      if (over) log.error("A commit status could not be sent, and is given up", fields);
      else log.warn("A commit status could not be sent, trying again", fields);
    }
  }

  #delayed(repositoryId: string, timeMs: number, side: "<" | ">") {
    const open = this.#parts.db.updateTable("forge_outbox").where("sent_at", "is", null);
    return open.where("repository_id", "=", repositoryId).where("due_at", side, timeMs);
  }

  async #save(id: number, values: Partial<Omit<OutboxRow, "id">>): Promise<void> {
    // One whose place was taken meanwhile stays so.
    const open = this.#parts.db.updateTable("forge_outbox").set(values).where("sent_at", "is", null);
    await open.where("id", "=", id).execute();
  }
}
