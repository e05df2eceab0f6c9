/**
 * The durable record of ref updates: every ref that moved has exactly one row in `git_ref_updates`, and a push is
 * acknowledged only after its rows are committed.
 *
 * Git moves refs in files, the rows are in SQLite, and the server may die between the two. Three facts close the gap:
 *
 * 1. *Intent under lock.* Git calls the `reference-transaction` hook in state `prepared` while it holds `<ref>.lock`
 *    and has checked the old value. Only then, and before we answer "ok", the intent (ref, before, after, who) is
 *    committed. So there is at most one undecided intent a ref: a later transaction on the same ref can only be prepared
 *    when the earlier one is over, and its verified `before` says how that ended.
 * 2. *Recorded value.* `git_refs` holds each ref's value as of its last row, written in the same transaction as the
 *    row. Whether an intent happened is not guessed from logs but read: the ref's value differs from the recorded one,
 *    or it does not (`planSettlement`). Settling twice therefore records once.
 * 3. *Barrier at open.* A server killed after its "ok" leaves a git process that finishes by itself within moments,
 *    still holding the lock. One killed earlier leaves a hook that reads end-of-file and a git that gives up. So once
 *    no `*.lock` is left under `refs/`, nothing started by a former server can move a ref any more, and comparing
 *    all refs with `git_refs` gives the truth. That comparison also finds moves made by hand behind our back.
 *
 * Killed at: receiving the pack, checking → no intent, ref unmoved → no row, not acknowledged. After the intent, before
 * "ok" → hook sees end-of-file → intent dropped at open. After "ok", before or after the move → the lock says when to
 * look, the ref says what happened. After the move, before the row → row written at open from the intent, with its
 * pusher. After the row, before the acknowledgement → the row stands; the client retries and finds nothing to do.
 */
import type { Clock, Database } from "#lib";
import { SequenceLog } from "#lib";
import type { Kysely, Transaction } from "kysely";
import { zeroId } from "./names.ts";
import type { RefCommand } from "./push-head.ts";
import { gitDatabase, type GitSchema, type MoveRow, type UpdateRow } from "./schema.ts";

export interface RefUpdate {
  readonly sequence: number;
  readonly repository: string;
  readonly ref: string;
  /** Forty zeros: the ref was created. */
  readonly before: string;
  /** Forty zeros: the ref was deleted. */
  readonly after: string;
  /** Name of an Identity; `outside` for a ref found moved without the server. */
  readonly pusher: string;
  /** RFC 3339. */
  readonly pushedAt: string;
  /** The new commit does not descend from the old one. */
  readonly forced: boolean;
  /** The same for all refs that moved together. */
  readonly push: string;
}

export interface RefMove extends RefCommand {
  readonly forced: boolean;
}

export interface MoveContext {
  readonly repositoryId: string;
  readonly push: string;
  readonly pusher: string;
}

export interface Settlement {
  /** The value the ref had at its last row. */
  readonly recorded: string;
  readonly actual: string;
  /** The intent that is still undecided, if any. */
  readonly after: string | undefined;
}

/** What to record so that the ledger says what is true: the intent, a move from outside, or nothing. */
export function planSettlement({ recorded, actual, after }: Settlement): "intent" | "outside" | "nothing" {
  if (actual === recorded) return "nothing";
  return actual === after ? "intent" : "outside";
}

type Write = Transaction<GitSchema>;

export class UpdateLedger {
  readonly updates: SequenceLog<RefUpdate>;
  readonly #db: Kysely<GitSchema>;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#db = gitDatabase(database);
    this.#clock = clock;
    this.updates = new SequenceLog((sequence, limit) => this.#after(sequence, limit));
  }

  /** Git holds the locks of these refs and has verified their old values: settle what came before, note what comes. */
  async prepare(context: MoveContext, moves: readonly RefMove[]): Promise<void> {
    let recorded = false;
    await this.#db.transaction().execute(async (tx) => {
      for (const move of moves) {
        recorded = (await this.#settle(tx, context.repositoryId, move.ref, move.before)) || recorded;
        await tx.insertInto("git_ref_intents").values(this.#row(context, move)).execute();
      }
    });
    if (recorded) this.updates.notify();
  }

  /** Git has moved these refs. Afterwards their rows are committed. */
  async commit(context: MoveContext, moves: readonly RefCommand[]): Promise<void> {
    await this.#db.transaction().execute(async (tx) => {
      for (const { ref, after } of moves) {
        const intent = await this.#intent(tx, context.repositoryId, ref);
        // Gone when a later transaction on this ref has settled it already.
        if (intent?.push === context.push && intent.after === after) {
          await this.#settle(tx, context.repositoryId, ref, after);
        }
      }
    });
    this.updates.notify();
  }

  /** Git has given up these moves. */
  async abort(context: MoveContext, moves: readonly RefCommand[]): Promise<void> {
    const refs = moves.map((move) => move.ref);
    if (refs.length === 0) return;
    await this.#db
      .deleteFrom("git_ref_intents")
      .where("repository_id", "=", context.repositoryId)
      .where("push", "=", context.push)
      .where("ref", "in", refs)
      .execute();
  }

  /** Refs of this push that were prepared and not heard of since: their hook could not speak. */
  async undecided(context: MoveContext): Promise<readonly string[]> {
    const rows = await this.#db
      .selectFrom("git_ref_intents")
      .select("ref")
      .where("repository_id", "=", context.repositoryId)
      .where("push", "=", context.push)
      .execute();
    return rows.map((row) => row.ref);
  }

  /**
   * Brings the ledger in line with `actual`, the refs as they are. `only` limits it to intents of one push; without it
   * the caller knows that nothing moves refs meanwhile. Answers how many rows it wrote.
   */
  async reconcile(repositoryId: string, actual: ReadonlyMap<string, string>, only?: string): Promise<number> {
    let recorded = 0;
    await this.#db.transaction().execute(async (tx) => {
      for (const ref of await this.#refsToCheck(tx, repositoryId, actual, only)) {
        if (await this.#settle(tx, repositoryId, ref, actual.get(ref) ?? zeroId)) recorded++;
      }
    });
    if (recorded > 0) this.updates.notify();
    return recorded;
  }

  /** Of the newest row; 0 when there is none. */
  async lastSequence(): Promise<number> {
    const row = await this.#db
      .selectFrom("git_ref_updates")
      .select("sequence")
      .orderBy("sequence", "desc")
      .limit(1)
      .executeTakeFirst();
    return row?.sequence ?? 0;
  }

  async updatesOf(push: string): Promise<readonly RefUpdate[]> {
    const rows = await this.#db
      .selectFrom("git_ref_updates")
      .selectAll()
      .where("push", "=", push)
      .orderBy("sequence")
      .execute();
    return rows.map(toUpdate);
  }

  async #refsToCheck(
    tx: Write,
    repositoryId: string,
    actual: ReadonlyMap<string, string>,
    only: string | undefined,
  ): Promise<ReadonlySet<string>> {
    let intents = tx.selectFrom("git_ref_intents").select("ref").where("repository_id", "=", repositoryId);
    if (only !== undefined) intents = intents.where("push", "=", only);
    const refs = new Set((await intents.execute()).map((row) => row.ref));
    if (only !== undefined) return refs;
    for (const ref of actual.keys()) refs.add(ref);
    const known = tx.selectFrom("git_refs").select("ref").where("repository_id", "=", repositoryId);
    for (const row of await known.execute()) refs.add(row.ref);
    return refs;
  }

  /** Decides the pending intent of a ref whose value is known to be `actual`. True when it wrote a row. */
  async #settle(tx: Write, repositoryId: string, ref: string, actual: string): Promise<boolean> {
    const intent = await this.#intent(tx, repositoryId, ref);
    const recorded = await this.#recorded(tx, repositoryId, ref);
    const plan = planSettlement({ recorded, actual, after: intent?.after });
    if (intent !== undefined) {
      await tx.deleteFrom("git_ref_intents").where("repository_id", "=", repositoryId).where("ref", "=", ref).execute();
    }
    if (plan === "nothing") return false;
    const outside = { repositoryId, push: `outside:${repositoryId}:${ref}:${actual}`, pusher: "outside" };
    const move = { ref, before: recorded, after: actual, forced: false };
    await this.#append(tx, plan === "intent" && intent !== undefined ? intent : this.#row(outside, move));
    return true;
  }

  async #append(tx: Write, row: MoveRow): Promise<void> {
    const repository = await tx
      .selectFrom("git_repositories")
      .select("name")
      .where("id", "=", row.repository_id)
      .executeTakeFirstOrThrow();
    await tx
      .insertInto("git_ref_updates")
      .values({ ...row, repository: repository.name })
      .execute();
    const key = { repository_id: row.repository_id, ref: row.ref };
    if (row.after === zeroId) {
      await tx
        .deleteFrom("git_refs")
        .where("repository_id", "=", key.repository_id)
        .where("ref", "=", key.ref)
        .execute();
      return;
    }
    await tx
      .insertInto("git_refs")
      .values({ ...key, sha: row.after })
      .onConflict((conflict) => conflict.columns(["repository_id", "ref"]).doUpdateSet({ sha: row.after }))
      .execute();
  }

  async #intent(tx: Write, repositoryId: string, ref: string): Promise<MoveRow | undefined> {
    return await tx
      .selectFrom("git_ref_intents")
      .selectAll()
      .where("repository_id", "=", repositoryId)
      .where("ref", "=", ref)
      .executeTakeFirst();
  }

  async #recorded(tx: Write, repositoryId: string, ref: string): Promise<string> {
    const row = await tx
      .selectFrom("git_refs")
      .select("sha")
      .where("repository_id", "=", repositoryId)
      .where("ref", "=", ref)
      .executeTakeFirst();
    return row?.sha ?? zeroId;
  }

  #row(context: MoveContext, move: RefMove): MoveRow {
    return {
      repository_id: context.repositoryId,
      ref: move.ref,
      push: context.push,
      before: move.before,
      after: move.after,
      pusher: context.pusher,
      pushed_at: this.#clock.now().toString({ smallestUnit: "millisecond" }),
      forced: move.forced ? 1 : 0,
    };
  }

  async #after(sequence: number, limit: number): Promise<readonly RefUpdate[]> {
    const rows = await this.#db
      .selectFrom("git_ref_updates")
      .selectAll()
      .where("sequence", ">", sequence)
      .orderBy("sequence")
      .limit(limit)
      .execute();
    return rows.map(toUpdate);
  }
}

function toUpdate(row: Omit<UpdateRow, "sequence"> & { readonly sequence: number }): RefUpdate {
  return {
    sequence: row.sequence,
    repository: row.repository,
    ref: row.ref,
    before: row.before,
    after: row.after,
    pusher: row.pusher,
    pushedAt: row.pushed_at,
    forced: row.forced === 1,
    push: row.push,
  };
}
