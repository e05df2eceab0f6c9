/** Which repositories mirror one elsewhere, and what those elsewhere have told. */
import type { Clock } from "#lib";
import { ForgeError, invalid } from "./errors.ts";
import type { DeliveryRow, ForgeDatabase, RemoteRow } from "./schema.ts";
import type { DeliveryHead, RemoteKind } from "./webhook.ts";

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
const maxTries = 6;

export class Remotes {
  readonly #db: ForgeDatabase;
  readonly #clock: Clock;

  constructor(db: ForgeDatabase, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
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

  /** False when it was taken before: it must not be done twice. Once this resolves, it is not lost. */
  async take(repositoryId: string, head: DeliveryHead, body: string): Promise<boolean> {
    const nowMs = this.#clock.now().epochMilliseconds;
    const values = { repository_id: repositoryId, ...head, received_at: nowMs, outcome: "waiting", body };
    const inserted = await this.#db.transaction().execute(async (tx) => {
      await tx
        .deleteFrom("forge_deliveries")
        .where("received_at", "<", nowMs - keptDeliveriesMs)
        .where("outcome", "!=", "waiting")
        .execute();
      return await tx
        .insertInto("forge_deliveries")
        .values(values)
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
    });
    return Number(inserted.numInsertedOrUpdatedRows ?? 0) > 0;
  }

  /** The oldest that waits. */
  async next(): Promise<DeliveryRow | undefined> {
    return await this.#db
      .selectFrom("forge_deliveries")
      .selectAll()
      .where("outcome", "=", "waiting")
      .orderBy("tries")
      .orderBy("received_at")
      .executeTakeFirst();
  }

  /** Done, or given up after several tries; `tries` says how often it failed. */
  async settle(
    row: Pick<DeliveryRow, "repository_id" | "id" | "tries">,
    outcome: string,
    failed: boolean,
  ): Promise<void> {
    const again = failed && row.tries + 1 < maxTries;
    const values = again ? { tries: row.tries + 1 } : { outcome: outcome.slice(0, 500), body: null };
    await this.#db
      .updateTable("forge_deliveries")
      .set(values)
      .where("repository_id", "=", row.repository_id)
      .where("id", "=", row.id)
      .execute();
  }

  /** Throws `forge/forbidden` when the repository is a mirror: what is written here the next fetch would undo. */
  async requireOwn(repository: { readonly id: string; readonly name: string }): Promise<void> {
    const remote = await this.get(repository.id);
    if (remote === undefined) return;
    throw new ForgeError("forge/forbidden", `"${repository.name}" mirrors ${remote.url}: change it there`);
  }
}

function remoteView(row: RemoteRow): RemoteView {
  const { kind, url, name, problem } = row;
  return { repositoryId: row.repository_id, kind, url, name, problem, apiUrl: row.api_url, fetchedAt: row.fetched_at };
}
