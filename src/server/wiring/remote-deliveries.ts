/**
 * Does what webhooks of remotes ask for: their branches and tags are fetched, their pull requests run here. One after the
 * other for each repository, so that a later word never overtakes an earlier one, and until it is done.
 */
import {
  type DeliveryEnd,
  type DeliveryRow,
  type Forge,
  localPayload,
  readNews,
  type RemoteNews,
  testMerge,
} from "#forge";
import type { Repositories, Repository } from "#git";
import { errorCode, errorMessage, TaskGroup, type Clock, type Log } from "#lib";
import type { Workflows } from "#workflows";
import { forgeCommits } from "./forge-commits.ts";
import type { RemoteMirrors } from "./remote-mirrors.ts";

export interface RemoteDeliveriesOptions {
  readonly forge: Forge;
  readonly repositories: Repositories;
  readonly workflows: Pick<Workflows, "accept">;
  readonly remoteMirrors: RemoteMirrors;
  readonly clock: Clock;
  readonly log: Log;
}

type PullNews = Extract<RemoteNews, { kind: "pull" }>;

const zero = "0".repeat(40);
/** Repositories at once: a remote that hangs holds up its own only. */
const maxBusy = 4;
/** No forge tells a webhook again of its own accord, so what one missed is found by looking. */
const lookMs = 3_600_000;

export class RemoteDeliveries {
  readonly #options: RemoteDeliveriesOptions;

  constructor(options: RemoteDeliveriesOptions) {
    this.#options = options;
  }

  /** Does what waits as it comes, that of a former process first, until the signal aborts. */
  async follow(signal: AbortSignal): Promise<void> {
    const { forge, clock, log, remoteMirrors } = this.#options;
    await using tasks = new TaskGroup((error, name) =>
      log.error("Cannot go on with a webhook", { repository: name, error }),
    );
    const busy = new Set<string>();
    while (!signal.aborted) {
      const row = busy.size < maxBusy ? await forge.remotes.next([...busy]) : undefined;
      const waitMs = row === undefined ? undefined : row.due_at - clock.now().epochMilliseconds;
      if (row !== undefined && (waitMs ?? 0) <= 0) {
        busy.add(row.repository_id);
        tasks.start(row.repository_id, async (own) => {
          try {
            await this.#handle(row, own);
          } finally {
            busy.delete(row.repository_id);
            remoteMirrors.came.notify();
          }
        });
        continue;
      }
      using _due = waitMs === undefined ? undefined : clock.schedule(waitMs, () => remoteMirrors.came.notify());
      await remoteMirrors.came.wait(signal).catch(() => {});
    }
  }

  /** Looks whether something was missed: now, since this server was not there, and every hour. */
  async lookAround(signal: AbortSignal): Promise<void> {
    const { forge, clock, remoteMirrors } = this.#options;
    while (!signal.aborted) {
      for (const id of await forge.remotes.list()) await forge.remotes.look(id);
      remoteMirrors.came.notify();
      await clock.sleep(lookMs, signal).catch(() => {});
    }
  }

  async #handle(row: DeliveryRow, signal: AbortSignal): Promise<void> {
    const { forge, repositories, log } = this.#options;
    const repository = await repositories.named(row.repository_id);
    try {
      const news = readNews(row.event, JSON.parse(row.body ?? "null"));
      const outcome = repository === undefined ? "gone" : await this.#react(repository, news, row.id, signal);
      await forge.remotes.settle(row, "done", outcome);
    } catch (error) {
      if (signal.aborted) return;
      const end: DeliveryEnd = errorCode(error) === "git/remote" ? "away" : "failed";
      const isOver = await forge.remotes.settle(row, end, errorMessage(error));
      const fields = { repository: repository?.name, event: row.event, tries: row.tries + 1, error };
      if (isOver) log.error("What a webhook asks for could not be done, and is given up", fields);
      else log.warn("Cannot do what a webhook asks for, trying again", fields);
    }
  }

  async #react(repository: Repository, news: RemoteNews, delivery: string, signal: AbortSignal): Promise<string> {
    switch (news.kind) {
      case "nothing":
        return news.reason;
      case "fetch":
        return `${await this.#options.remoteMirrors.fetch(repository, news.sender, signal)} refs moved`;
      case "pull":
        return await this.#pull(repository, news, delivery, signal);
    }
  }

  /** The commits are brought, the merge is tried here, and the workflows that wait for it are told. */
  async #pull(repository: Repository, news: PullNews, delivery: string, signal: AbortSignal): Promise<string> {
    const { workflows, remoteMirrors } = this.#options;
    const remote = await remoteMirrors.remote(repository);
    // The webhook of an organisation tells of all its repositories.
    if (news.about !== undefined && news.about.toLowerCase() !== remote.name.toLowerCase()) {
      return `it is about "${news.about}", and "${repository.name}" mirrors "${remote.name}"`;
    }
    // Throws when the remote is away, which is worth waiting for. It also brings the base to where it is.
    await remoteMirrors.fetch(repository, news.sender, signal);
    const at = await this.#bring(repository, news, signal);
    const payload = localPayload(news.payload, { remote: remote.name, local: repository.name }, news.action) as never;
    const told = { repository: repository.name, actor: news.sender, payload };
    const id = `remote:${repository.id}:${delivery}`;
    const target = { ref: `refs/heads/${news.base.ref}`, sha: news.base.sha };
    const runs = await workflows.accept(
      { id: `${id}:target`, name: "pull_request_target", ...told, ...target },
      { signal },
    );
    if (at === undefined) return `${runs.length} runs; its branches cannot be merged`;
    const own = await workflows.accept({ id, name: "pull_request", ...told, ...at }, { signal });
    return `${runs.length + own.length} runs`;
  }

  /**
   * Its commits, and the refs of it. Where its workflows run: at what it became on its base, or at the merge that is
   * tried; undefined when it cannot be merged.
   */
  async #bring(
    repository: Repository,
    { number, base, head, merged, sender }: PullNews,
    signal: AbortSignal,
  ): Promise<{ readonly ref: string; readonly sha: string } | undefined> {
    const { repositories, remoteMirrors } = this.#options;
    const access = await remoteMirrors.access(repository, await remoteMirrors.remote(repository), signal);
    const wanted = [base.sha, head.sha, ...(merged === undefined ? [] : [merged])];
    try {
      await repositories.bringRemote(repository.name, access, wanted);
    } catch (cause) {
      // It was there a moment ago, so it is the commits that are not.
      throw new Error(`Cannot get the commits of pull request ${number}: ${errorMessage(cause)}`, { cause });
    }
    const move = async (name: "head" | "merge", after: string): Promise<void> => {
      const ref = `refs/pull/${number}/${name}`;
      const before = (await repositories.refs(repository.name)).get(ref) ?? zero;
      if (before !== after) await repositories.moveRef(repository.name, { ref, before, after, pusher: sender });
    };
    await move("head", head.sha);
    if (merged !== undefined) return { ref: `refs/heads/${base.ref}`, sha: merged };
    const commits = forgeCommits(repositories);
    const { sha } = await testMerge(commits, repository.name, { base: base.sha, head: head.sha }, signal);
    if (sha === null) return undefined;
    await move("merge", sha);
    return { ref: `refs/pull/${number}/merge`, sha };
  }
}
