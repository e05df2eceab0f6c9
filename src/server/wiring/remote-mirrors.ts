/**
 * Repositories here that mirror one of GitHub, Forgejo or Gitea: brought up to date when something is told of them, their
 * pull requests run here, and what became of runs told back as commit statuses.
 */
import {
  type Forge,
  localPayload,
  type OutgoingStatus,
  planMirror,
  readNews,
  type RemoteNews,
  type RemoteView,
  type StatusPort,
  testMerge,
} from "#forge";
import type { RemoteAccess, Repositories, Repository } from "#git";
import { errorMessage, KeyedLock, Wake, withDeadline, type Clock, type Log } from "#lib";
import type { SecretsRoom } from "#secrets";
import type { RunView, Workflows } from "#workflows";
import type { CommitChecks } from "./commit-checks.ts";
import { forgeCommits } from "./forge-commits.ts";

export interface RemoteMirrorsOptions {
  readonly forge: Forge;
  readonly repositories: Repositories;
  readonly secrets: Pick<SecretsRoom, "secrets">;
  readonly workflows: Pick<Workflows, "accept">;
  readonly commitChecks: Pick<CommitChecks, "headOf">;
  readonly clock: Clock;
  readonly log: Log;
  readonly runUrl: (runId: string) => string;
}

const zero = "0".repeat(40);
const sendMs = 30_000;
const retryMs = 2000;
/** Older runs have been told, or nobody waits for them any more. */
const toldAgainMs = 24 * 3_600_000;

export const tokenName = "TOKEN";
export const webhookSecretName = "WEBHOOK_SECRET";

export class RemoteMirrors implements StatusPort {
  readonly #options: RemoteMirrorsOptions;
  readonly #locks = new KeyedLock();
  readonly #came = new Wake();

  constructor(options: RemoteMirrorsOptions) {
    this.#options = options;
  }

  /** Brings branches and tags to where they are over there. Answers how many moved. Throws `git/remote`. */
  async fetch(repository: Repository, sender: string, signal: AbortSignal): Promise<number> {
    const { forge, repositories } = this.#options;
    return await this.#locks.run(repository.id, async () => {
      const remote = await this.#remote(repository);
      try {
        const access = await this.#access(repository, remote, signal);
        const { refs, head } = await repositories.listRemote(repository.name, access);
        const moves = planMirror(await repositories.refs(repository.name), refs);
        const wanted = moves.map((move) => move.after).filter((sha) => sha !== zero);
        await repositories.bringRemote(repository.name, access, wanted);
        const branch = head?.replace(/^refs\/heads\//, "");
        if (branch !== undefined && branch !== repository.defaultBranch) {
          await repositories.setDefaultBranch(repository.name, branch);
        }
        for (const move of moves) await repositories.moveRef(repository.name, { ...move, pusher: sender });
        await forge.remotes.fetched(repository.id, null);
        return moves.length;
      } catch (error) {
        await forge.remotes.fetched(repository.id, errorMessage(error).slice(0, 500));
        throw error;
      }
    });
  }

  /** A delivery was taken. */
  notify(): void {
    this.#came.notify();
  }

  /** Does what deliveries ask for, one after the other, those of a former process first. */
  async follow(signal: AbortSignal): Promise<void> {
    const { forge, repositories, clock, log } = this.#options;
    while (!signal.aborted) {
      const row = await forge.remotes.next();
      if (row === undefined) {
        await this.#came.wait(signal).catch(() => {});
        continue;
      }
      const repository = await repositories.named(row.repository_id);
      try {
        const news = readNews(row.event, JSON.parse(row.body ?? "null"));
        const outcome = repository === undefined ? "gone" : await this.#react(repository, news, row.id, signal);
        await forge.remotes.settle(row, outcome, false);
      } catch (error) {
        if (signal.aborted) return;
        log.warn("Cannot do what a webhook asks for", { repository: repository?.name, event: row.event, error });
        await forge.remotes.settle(row, errorMessage(error), true);
        await clock.sleep(retryMs * (row.tries + 1), signal).catch(() => {});
      }
    }
  }

  /** Notes what is to be told of a run, if its repository is a mirror. */
  async runChanged(run: RunView): Promise<void> {
    const { forge, repositories, commitChecks, clock, runUrl } = this.#options;
    const repository = await repositories.get(run.repository);
    if (repository === undefined || (await forge.remotes.get(repository.id)) === undefined) return;
    const at = Temporal.Instant.from(run.completedAt ?? run.createdAt).epochMilliseconds;
    if (at < clock.now().epochMilliseconds - toldAgainMs) return;
    const state = stateOf(run);
    await forge.outbox.put(`${repository.id}:${run.id}:${run.attempt}:${run.status}:${state}`, {
      repositoryId: repository.id,
      sha: await commitChecks.headOf(run),
      context: `tidegate / ${run.workflow.name} (${run.event})`.slice(0, 255),
      state,
      description: wordsOf(run),
      targetUrl: runUrl(run.id),
    });
  }

  async send(status: OutgoingStatus, signal: AbortSignal): Promise<void> {
    const { repositories, secrets } = this.#options;
    const repository = await repositories.named(status.repositoryId);
    if (repository === undefined) return;
    const remote = await this.#remote(repository);
    const token = (await secrets.secrets.valuesOf({ kind: "mirror", repository: repository.name }))[tokenName];
    const place = `${remote.apiUrl}/repos/${remote.name}/statuses/${status.sha}`;
    if (token === undefined) throw new Error(`Cannot tell "${place}": the mirror has no token`);
    const response = await fetch(place, {
      method: "POST",
      headers: {
        authorization: `token ${token}`,
        accept: "application/json",
        "content-type": "application/json",
        "user-agent": "tidegate",
      },
      body: JSON.stringify({
        state: status.state,
        target_url: status.targetUrl,
        description: status.description,
        context: status.context,
      }),
      // A redirect would carry the token elsewhere.
      redirect: "error",
      signal: withDeadline(signal, sendMs),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`Cannot tell "${place}": it answered ${response.status}`);
  }

  async #react(repository: Repository, news: RemoteNews, delivery: string, signal: AbortSignal): Promise<string> {
    switch (news.kind) {
      case "nothing":
        return news.reason;
      case "fetch":
        return `${await this.fetch(repository, news.sender, signal)} refs moved`;
      case "pull":
        return await this.#pull(repository, news, delivery, signal);
    }
  }

  /** The commits are brought, the merge is tried here, and the workflows that wait for it are told. */
  async #pull(
    repository: Repository,
    news: Extract<RemoteNews, { kind: "pull" }>,
    delivery: string,
    signal: AbortSignal,
  ): Promise<string> {
    const { repositories, workflows } = this.#options;
    const remote = await this.#remote(repository);
    const { number, base, head, action, sender } = news;
    const access = await this.#access(repository, remote, signal);
    await repositories.bringRemote(repository.name, access, [base.sha, head.sha]);
    const commits = forgeCommits(repositories);
    const merge = await testMerge(commits, repository.name, { base: base.sha, head: head.sha }, signal);
    const refs = { head: head.sha, ...(merge.sha === null ? {} : { merge: merge.sha }) };
    for (const [name, after] of Object.entries(refs)) {
      const ref = `refs/pull/${number}/${name}`;
      const before = (await repositories.refs(repository.name)).get(ref) ?? zero;
      if (before !== after) await repositories.moveRef(repository.name, { ref, before, after, pusher: sender });
    }
    const names = { remote: remote.name, local: repository.name };
    const payload = localPayload(news.payload, names, action) as never;
    const told = { repository: repository.name, actor: sender, payload };
    const target = { ref: `refs/heads/${base.ref}`, sha: base.sha };
    const runs = await workflows.accept(
      { id: `remote:${repository.id}:${delivery}:target`, name: "pull_request_target", ...told, ...target },
      { signal },
    );
    if (merge.sha === null) return `${runs.length} runs; its branches cannot be merged`;
    const tried = { ref: `refs/pull/${number}/merge`, sha: merge.sha };
    const event = { id: `remote:${repository.id}:${delivery}`, name: "pull_request", ...told, ...tried } as const;
    return `${runs.length + (await workflows.accept(event, { signal })).length} runs`;
  }

  async #remote(repository: Repository): Promise<RemoteView> {
    const remote = await this.#options.forge.remotes.get(repository.id);
    if (remote === undefined) throw new Error(`"${repository.name}" mirrors nothing`);
    return remote;
  }

  async #access(repository: Repository, { url }: RemoteView, signal: AbortSignal): Promise<RemoteAccess> {
    const values = await this.#options.secrets.secrets.valuesOf({ kind: "mirror", repository: repository.name });
    const password = values[tokenName];
    return {
      url,
      signal,
      ...(password === undefined ? {} : { credentials: { username: "x-access-token", password } }),
    };
  }
}

function stateOf({ status, conclusion }: RunView): OutgoingStatus["state"] {
  if (status !== "completed") return "pending";
  if (conclusion === "success" || conclusion === "skipped") return "success";
  return conclusion === "cancelled" ? "error" : "failure";
}

function wordsOf(run: RunView): string {
  const word = run.status === "completed" ? (run.conclusion ?? "completed") : run.status.replace("_", " ");
  return `Run #${run.number}: ${word}`.slice(0, 140);
}
