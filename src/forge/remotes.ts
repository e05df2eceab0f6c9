/** Which repositories mirror one elsewhere, and what those elsewhere have told. */
import { backoffDelayMs, type Backoff, type Clock, type Ids, sha256Hex } from "#lib";
import { ForgeError, invalid } from "./errors.ts";
import type { DeliveryRow, ForgeDatabase, RemoteRow } from "./schema.ts";
import { lookEvent, type DeliveryHead, type RemoteKind } from "./webhook.ts";

export interface RemoteView {
  readonly repositoryId: string;
  readonly kind: RemoteKind;
  /** Without credentials. */
  readonly url: string;
  readonly apiUrl: string;
  /** `owner/name` over there. */
  readonly name: string;
  readonly fetchedAt: number | null;
  /** Why the last try of something with it failed. */
  readonly problem: string | null;
}

export interface NewRemote {
  readonly url: string;
  readonly kind?: RemoteKind | undefined;
  readonly apiUrl?: string | undefined;
}

/** Reads what somebody writes about a remote. Throws `forge/invalid`; credentials in the URL are refused. */
export function readRemote({
  url: text,
  kind: said,
  apiUrl,
}: NewRemote): Omit<RemoteView, "repositoryId" | "fetchedAt" | "problem"> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw invalid("Mirror", "url", `Cannot mirror "${text.slice(0, 200)}": use an http or https URL`);
  }
  if (url.username !== "" || url.password !== "") {
    throw invalid("Mirror", "url", "The URL of a mirror has no credentials: give the token by itself");
  }
  const name = url.pathname.replaceAll(/^\/+|(?:\.git)?\/*$/g, "");
  if (name.split("/").length !== 2 || name.split("/").includes("")) {
    throw invalid("Mirror", "url", `Cannot mirror "${url.href}": its path must be /owner/name`);
  }
  const kind = said ?? (url.hostname === "github.com" ? "github" : undefined);
  if (kind === undefined) {
    throw invalid("Mirror", "kind", `Say what "${url.host}" is: github, forgejo or gitea`);
  }
  const own =
    url.hostname === "github.com" ? "https://api.github.com" : `${url.origin}/api/v${kind === "github" ? 3 : 1}`;
  if (apiUrl !== undefined && !(URL.canParse(apiUrl) && /^https?:$/.test(new URL(apiUrl).protocol))) {
    throw invalid("Mirror", "apiUrl", `"${apiUrl.slice(0, 200)}" is no http or https URL`);
  }
  return { kind, url: `${url.origin}/${name}.git`, apiUrl: (apiUrl ?? own).replace(/\/+$/, ""), name };
}

/** Enough that no forge sends one again after it is forgotten. */
const keptDeliveriesMs = 30 * 24 * 3_600_000;
/** 2 s, 4 s, … an hour. */
const again: Backoff = { initialMs: 2000, factor: 2, maxMs: 3_600_000, jitter: 0.2 };

/** A remote that is away comes back: so long is waited for it. */
const maxAwayMs = 26 * 3_600_000;
/** One that answers, and has not what is asked for, will not have it later: two minutes. */
const maxTries = 6;

/** `away`: the remote could not be reached, or not with our token. `failed`: it could, and it was no use. */
export type DeliveryEnd = "done" | "away" | "failed";

export class Remotes {
  readonly #db: ForgeDatabase;
  readonly #clock: Clock;
  readonly #ids: Pick<Ids, "random">;

  constructor(db: ForgeDatabase, clock: Clock, ids: Pick<Ids, "random">) {
    this.#db = db;
    this.#clock = clock;
    this.#ids = ids;
  }

  /** Repositories that mirror one elsewhere. */
  async list(): Promise<readonly string[]> {
    const rows = await this.#db.selectFrom("forge_remotes").select("repository_id").execute();
    return rows.map((row) => row.repository_id);
  }

  async set(repositoryId: string, remote: NewRemote): Promise<RemoteView> {
    const { apiUrl, ...rest } = readRemote(remote);
    const nowMs = this.#clock.now().epochMilliseconds;
    const values = { ...rest, api_url: apiUrl, fetched_at: null, problem: null };
    await this.#db
      .insertInto("forge_remotes")
      .values({ repository_id: repositoryId, added_at: nowMs, ...values })
      .onConflict((conflict) => conflict.column("repository_id").doUpdateSet(values))
      .execute();
    return { repositoryId, ...rest, apiUrl, fetchedAt: null, problem: null };
  }

  async get(repositoryId: string): Promise<RemoteView | undefined> {
    const row = await this.#db
      .selectFrom("forge_remotes")
      .selectAll()
      .where("repository_id", "=", repositoryId)
      .executeTakeFirst();
    return row === undefined ? undefined : remoteView(row);
  }

  async remove(repositoryId: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("forge_remotes")
      .where("repository_id", "=", repositoryId)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }

  async fetched(repositoryId: string, problem: string | null): Promise<void> {
    const nowMs = this.#clock.now().epochMilliseconds;
    const values = problem === null ? { fetched_at: nowMs, problem } : { problem };
    await this.#db.updateTable("forge_remotes").set(values).where("repository_id", "=", repositoryId).execute();
  }

  /**
   * False when it was taken before: it must not be done twice. One that was given up may be told again. Once this
   * resolves, it is not lost.
   */
  async take(repositoryId: string, head: DeliveryHead, body: string): Promise<boolean> {
    const nowMs = this.#clock.now().epochMilliseconds;
    const digest = replayDigest(head, body);
    return await this.#db.transaction().execute(async (tx) => {
      await tx
        .deleteFrom("forge_deliveries")
        .where("received_at", "<", nowMs - keptDeliveriesMs)
        .where("outcome", "!=", "waiting")
        .execute();
      const ofRepository = tx.selectFrom("forge_deliveries").where("repository_id", "=", repositoryId);
      const known = await ofRepository
        .select("id")
        .where((is) => is.or([is("id", "=", head.id), is("digest", "=", digest)]))
        .where("given_up", "=", 0)
        .executeTakeFirst();
      if (known !== undefined) return false;
      const { last } = await ofRepository.select((is) => is.fn.max("received_at").as("last")).executeTakeFirstOrThrow();
      // Two of one millisecond keep their order.
      const received_at = Math.max(nowMs, (last ?? 0) + 1);
      const values = { ...head, digest, received_at, outcome: "waiting", body, tries: 0, due_at: 0, given_up: 0 };
      await tx
        .insertInto("forge_deliveries")
        .values({ repository_id: repositoryId, ...values })
        .onConflict((conflict) => conflict.columns(["repository_id", "id"]).doUpdateSet(values))
        .execute();
      return true;
    });
  }

  /** Lets what is over there be looked at, as a webhook would; no more than once while such a look waits. */
  async look(repositoryId: string): Promise<boolean> {
    const looks = this.#db.selectFrom("forge_deliveries").select("id").where("outcome", "=", "waiting");
    const same = looks.where("event", "=", lookEvent).where("repository_id", "=", repositoryId);
    if ((await same.executeTakeFirst()) !== undefined) return false;
    const id = `look:${this.#clock.now().epochMilliseconds}`;
    return await this.take(repositoryId, { id, event: lookEvent }, "{}");
  }

  /**
   * What is to be done next, of repositories that are not `busy`: of each the oldest that waits, so that a later word
   * never overtakes an earlier one, and of those the one that is due first.
   */
  async next(busy: readonly string[]): Promise<DeliveryRow | undefined> {
    const rows = await this.#db
      .selectFrom("forge_deliveries")
      .select(["repository_id", "id", "due_at", "received_at"])
      .where("outcome", "=", "waiting")
      .where("repository_id", "not in", busy)
      .orderBy("received_at")
      .orderBy("id")
      .execute();
    const oldest = new Map(rows.toReversed().map((row) => [row.repository_id, row]));
    const [first] = [...oldest.values()].toSorted((a, b) => a.due_at - b.due_at || a.received_at - b.received_at);
    if (first === undefined) return undefined;
    const { repository_id, id } = first;
    const whole = this.#db.selectFrom("forge_deliveries").selectAll().where("repository_id", "=", repository_id);
    return await whole.where("id", "=", id).executeTakeFirst();
  }

  /** Done with, or to be tried again. Answers whether it was given up. */
  async settle(row: DeliveryRow, end: DeliveryEnd, outcome: string): Promise<boolean> {
    const tries = row.tries + 1;
    const nowMs = this.#clock.now().epochMilliseconds;
    const over = end === "away" ? nowMs - row.received_at >= maxAwayMs : tries >= maxTries;
    const later = end !== "done" && !over;
    const values = later
      ? { tries, due_at: Math.round(nowMs + backoffDelayMs(again, row.tries, this.#ids.random())) }
      : { tries, outcome: outcome.slice(0, 500), body: null, given_up: end === "done" ? 0 : 1 };
    await this.#db
      .updateTable("forge_deliveries")
      .set(values)
      .where("repository_id", "=", row.repository_id)
      .where("id", "=", row.id)
      .execute();
    return end !== "done" && over;
  }

  /** What waits for this remote to come back need not wait any longer. */
  async hurry(repositoryId: string): Promise<void> {
    const due = this.#db.updateTable("forge_deliveries").set({ due_at: 0 }).where("outcome", "=", "waiting");
    await due.where("repository_id", "=", repositoryId).execute();
  }

  /** Throws `forge/forbidden` when the repository is a mirror: what is written here the next fetch would undo. */
  async requireOwn(repository: { readonly id: string; readonly name: string }): Promise<void> {
    const remote = await this.get(repository.id);
    if (remote === undefined) return;
    throw new ForgeError("forge/forbidden", `"${repository.name}" mirrors ${remote.url}: change it there`);
  }
}

/**
 * The number of a delivery is not signed, its body is: what became of a pull request is not believed again under another
 * number. Of branches and tags it may be, since what follows is a look at where they are.
 */
function replayDigest({ event }: DeliveryHead, body: string): string | null {
  return event.startsWith("pull_request") ? sha256Hex(`${event}\n${body}`) : null;
}

function remoteView(row: RemoteRow): RemoteView {
  const { kind, url, name, problem } = row;
  return { repositoryId: row.repository_id, kind, url, name, problem, apiUrl: row.api_url, fetchedAt: row.fetched_at };
}
