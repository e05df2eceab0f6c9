/**
 * Runners on other machines. One registers itself by a token that an administrator made for that, good once and for an
 * hour, and gets a token of its own: what it is called and which jobs it takes is written here and not what it says
 * later. An ephemeral one takes a single job; then it is done with.
 */
import { sha256Hex, type Clock, type Ids } from "#lib";
import { WorkflowsError } from "../errors.ts";
import type { ClaimRequest } from "../protocol.ts";
import type { WorkflowsTransaction } from "../run/run-store.ts";
import type { WorkflowsDatabase } from "../run/schema.ts";
import { checkGroupName, defaultGroup } from "./runner-groups.ts";
import type { RunnerRow } from "./schema.ts";

export interface RegisterRequest {
  readonly name: string;
  readonly labels: readonly string[];
  readonly ephemeral?: boolean;
  /** Another one of this name is removed; without it the name must be free. */
  readonly replace?: boolean;
}

interface Registration {
  readonly kind: "registered";
  readonly id: string;
  /** The runner's own, shown once. */
  readonly token: string;
  readonly group: string;
}

export type Registering =
  | Registration
  /** The token is none, was used, or is over. */
  | { readonly kind: "unknown-token" }
  /** The token is still good. */
  | { readonly kind: "name-taken" };

const registrationMs = 3_600_000;
/** An ephemeral runner that has done its job may still repeat its last words for a while. */
const farewellMs = 600_000;
/** Claims come every minute at most: written this often, "last seen" is right enough over a restart. */
const seenEveryMs = 60_000;

interface Options {
  readonly db: WorkflowsDatabase;
  readonly clock: Clock;
  readonly ids: Ids;
}

export class RegisteredRunners {
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
  }

  /** A token by which one runner may register, and until when. */
  async invite(group = defaultGroup): Promise<{ readonly token: string; readonly expiresAt: string }> {
    checkGroupName(group);
    const { db, ids } = this.#options;
    const token = `tgreg_${ids.secret()}`;
    const expiresAt = this.#nowMs() + registrationMs;
    await db.deleteFrom("workflows_runner_registrations").where("expires_at", "<", this.#nowMs()).execute();
    const row = { token_hash: sha256Hex(token), runner_group: group, expires_at: expiresAt };
    await db.insertInto("workflows_runner_registrations").values(row).execute();
    return { token, expiresAt: Temporal.Instant.fromEpochMilliseconds(expiresAt).toString() };
  }

  async register(invitation: string, request: RegisterRequest): Promise<Registering> {
    const { db, ids } = this.#options;
    const token = `tgrun_${ids.secret()}`;
    const hash = sha256Hex(invitation);
    await this.#forgetSpent();
    return await db.transaction().execute(async (tx): Promise<Registering> => {
      const known = await tx
        .selectFrom("workflows_runner_registrations")
        .select("expires_at")
        .where("token_hash", "=", hash)
        .executeTakeFirst();
      if (known === undefined || known.expires_at < this.#nowMs()) return { kind: "unknown-token" };
      if (request.replace === true) await tx.deleteFrom("workflows_runners").where("name", "=", request.name).execute();
      else if (await isTaken(tx, request.name)) return { kind: "name-taken" };
      const found = await tx
        .deleteFrom("workflows_runner_registrations")
        .where("token_hash", "=", hash)
        .returning("runner_group")
        .executeTakeFirstOrThrow();
      const row = {
        id: ids.uuid(),
        name: request.name,
        labels_json: JSON.stringify([...new Set(request.labels)]),
        runner_group: found.runner_group,
        ephemeral: request.ephemeral === true ? 1 : 0,
        token_hash: sha256Hex(token),
        spent_claim: null,
        created_at: this.#nowMs(),
        last_seen_at: null,
      };
      await tx.insertInto("workflows_runners").values(row).execute();
      return { kind: "registered", id: row.id, token, group: row.runner_group };
    });
  }

  /** The runner that this token is of. */
  async authenticate(token: string): Promise<RunnerRow | undefined> {
    if (!token.startsWith("tgrun_")) return undefined;
    return await this.#options.db
      .selectFrom("workflows_runners")
      .selectAll()
      .where("token_hash", "=", sha256Hex(token))
      .executeTakeFirst();
  }

  async list(): Promise<readonly RunnerRow[]> {
    await this.#forgetSpent();
    return await this.#options.db.selectFrom("workflows_runners").selectAll().orderBy("name").execute();
  }

  /** Its token counts no more; a job that it has is lost when its lease is over, and given to another. */
  async remove(id: string): Promise<void> {
    const { numDeletedRows } = await this.#options.db
      .deleteFrom("workflows_runners")
      .where("id", "=", id)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw new WorkflowsError("workflows/not-found", `There is no registered runner "${id}"`);
  }

  async seen(row: RunnerRow): Promise<void> {
    const nowMs = this.#nowMs();
    if ((row.last_seen_at ?? 0) > nowMs - seenEveryMs) return;
    const { db } = this.#options;
    await db.updateTable("workflows_runners").set({ last_seen_at: nowMs }).where("id", "=", row.id).execute();
  }

  async #forgetSpent(): Promise<void> {
    const { db } = this.#options;
    await db
      .deleteFrom("workflows_runners")
      .where("ephemeral", "=", 1)
      .where("spent_claim", "is not", null)
      .where("last_seen_at", "<", this.#nowMs() - farewellMs)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("workflows_jobs")
              .select("workflows_jobs.id")
              .whereRef("workflows_jobs.runner_id", "=", "workflows_runners.id")
              .where("workflows_jobs.status", "=", "in_progress"),
          ),
        ),
      )
      .execute();
  }

  #nowMs(): number {
    return this.#options.clock.now().epochMilliseconds;
  }
}

/** By a runner that still takes jobs: an ephemeral one that has had its own needs no name. */
async function isTaken(tx: WorkflowsTransaction, name: string): Promise<boolean> {
  const found = await tx
    .selectFrom("workflows_runners")
    .select("id")
    .where("name", "=", name)
    .where("spent_claim", "is", null)
    .executeTakeFirst();
  return found !== undefined;
}

/** What a registered runner asks for, by what is written of it. */
export function claimOf(row: RunnerRow, request: ClaimRequest): ClaimRequest {
  const labels = JSON.parse(row.labels_json) as string[];
  return { ...request, runnerId: row.id, name: row.name, labels, group: row.runner_group };
}

/**
 * Asked in the transaction that may give it a job: a runner that was removed while it waited, and an ephemeral one that
 * has had its job by an earlier claim, get none.
 */
export async function mayClaim(tx: WorkflowsTransaction, request: ClaimRequest): Promise<RunnerRow> {
  const runner = await tx
    .selectFrom("workflows_runners")
    .selectAll()
    .where("id", "=", request.runnerId)
    .executeTakeFirst();
  if (runner === undefined) {
    const message = `Runner "${request.name}" was removed: register it again`;
    throw new WorkflowsError("workflows/forbidden", message);
  }
  if (runner.ephemeral === 1 && runner.spent_claim !== null && runner.spent_claim !== request.claimId) {
    const message = `Runner "${runner.name}" is ephemeral and has had its job: register another one`;
    throw new WorkflowsError("workflows/forbidden", message);
  }
  return runner;
}

/** It has its one job. */
export async function spend(tx: WorkflowsTransaction, runner: RunnerRow, request: ClaimRequest): Promise<void> {
  if (runner.ephemeral === 0) return;
  const spent = { spent_claim: request.claimId };
  await tx.updateTable("workflows_runners").set(spent).where("id", "=", runner.id).execute();
}
