/**
 * Repositories here that mirror one of GitHub, Forgejo or Gitea: brought up to date, and what became of runs told back as
 * commit statuses.
 */
import { type Forge, ForgeError, type OutgoingStatus, planMirror, type RemoteView, type StatusPort } from "#forge";
import type { RemoteAccess, Repositories, Repository } from "#git";
import { errorMessage, isObject, KeyedLock, Wake, withDeadline, type Clock } from "#lib";
import type { SecretsRoom } from "#secrets";
import type { RunView, Workflows } from "#workflows";
import type { CommitChecks } from "./commit-checks.ts";
import { combineRuns, statusContext } from "./run-status.ts";

export interface RemoteMirrorsOptions {
  readonly forge: Forge;
  readonly repositories: Repositories;
  readonly secrets: Pick<SecretsRoom, "secrets">;
  readonly workflows: Pick<Workflows, "listRuns">;
  readonly commitChecks: Pick<CommitChecks, "headOf">;
  readonly clock: Clock;
  readonly runUrl: (runId: string) => string;
}

const zero = "0".repeat(40);
const sendMs = 30_000;
/** The first copy of a large repository; one that stalls is given up by git long before. */
const bringMs = 3_600_000;
/** Older runs have been told, or nobody waits for them any more. */
const toldAgainMs = 24 * 3_600_000;

export const tokenName = "TOKEN";
export const webhookSecretName = "WEBHOOK_SECRET";

export class RemoteMirrors implements StatusPort {
  readonly #options: RemoteMirrorsOptions;
  readonly #locks = new KeyedLock();
  /** A delivery waits, or need not wait any longer. */
  readonly came = new Wake();

  constructor(options: RemoteMirrorsOptions) {
    this.#options = options;
  }

  /** Brings branches and tags to where they are over there. Answers how many moved. Throws `git/remote`. */
  async fetch(repository: Repository, sender: string, signal: AbortSignal): Promise<number> {
    const { forge, repositories } = this.#options;
    return await this.#locks.run(repository.id, async () => {
      const remote = await this.remote(repository);
      try {
        const access = await this.access(repository, remote, signal);
        const { refs, head } = await repositories.listRemote(repository.name, access);
        const moves = planMirror(await repositories.refs(repository.name), refs);
        const wanted = moves.map((move) => move.after).filter((sha) => sha !== zero);
        await repositories.bringRemote(repository.name, { ...access, timeoutMs: bringMs }, wanted);
        const branch = head?.replace(/^refs\/heads\//, "");
        if (branch !== undefined && branch !== repository.defaultBranch) {
          await repositories.setDefaultBranch(repository.name, branch);
        }
        for (const move of moves) await repositories.moveRef(repository.name, { ...move, pusher: sender });
        await forge.remotes.fetched(repository.id, null);
        await this.arrived(repository.id);
        return moves.length;
      } catch (error) {
        await forge.remotes.fetched(repository.id, errorMessage(error).slice(0, 500));
        throw error;
      }
    });
  }

  /** A sign of life: what waits for the remote to come back is tried at once. */
  async arrived(repositoryId: string): Promise<void> {
    const { forge } = this.#options;
    await forge.remotes.hurry(repositoryId);
    await forge.outbox.hurry(repositoryId);
    this.came.notify();
  }

  /** Notes what is to be told of a run, if its repository is a mirror. */
  async runChanged(run: RunView): Promise<void> {
    const { forge, repositories, commitChecks, clock, runUrl } = this.#options;
    const repository = await repositories.get(run.repository);
    if (repository === undefined || (await forge.remotes.get(repository.id)) === undefined) return;
    const at = Temporal.Instant.from(run.completedAt ?? run.createdAt).epochMilliseconds;
    if (at < clock.now().epochMilliseconds - toldAgainMs) return;
    const sha = await commitChecks.headOf(run);
    const told = combineRuns(await this.#sharers(run, sha));
    await forge.outbox.put(`${repository.id}:${sha}:${told.key}`, {
      repositoryId: repository.id,
      sha,
      context: statusContext(run),
      state: told.state,
      description: told.description,
      targetUrl: runUrl(told.run.id),
    });
  }

  /** The runs whose status has the same context on the same commit, this one among them. */
  async #sharers(run: RunView, sha: string): Promise<readonly RunView[]> {
    const { workflows, commitChecks } = this.#options;
    const { repository, event } = run;
    // Runs for pull requests run at other commits than the one they are about.
    const place = event.startsWith("pull_request") ? { repository, event } : { repository, event, sha };
    const found = [run];
    for (const other of await workflows.listRuns({ ...place, limit: 200 })) {
      const shares = other.id !== run.id && statusContext(other) === statusContext(run);
      if (shares && (await commitChecks.headOf(other)) === sha) found.push(other);
    }
    return found;
  }

  async send(status: OutgoingStatus, signal: AbortSignal): Promise<void> {
    const { repositories, secrets } = this.#options;
    const repository = await repositories.named(status.repositoryId);
    if (repository === undefined) return;
    const remote = await this.remote(repository);
    const token = (await secrets.secrets.valuesOf({ kind: "mirror", repository: repository.name }))[tokenName];
    const place = `${remote.apiUrl}/repos/${remote.name}/statuses/${status.sha}`;
    if (token === undefined) throw new Error(`Cannot tell "${place}": the mirror has no token`);
    const response = await post(place, token, status, withDeadline(signal, sendMs));
    if (!response.ok) throw await refusal(place, response);
    await response.body?.cancel();
  }

  async remote(repository: Repository): Promise<RemoteView> {
    const remote = await this.#options.forge.remotes.get(repository.id);
    if (remote === undefined) throw new Error(`"${repository.name}" mirrors nothing`);
    return remote;
  }

  /** How to get at what it mirrors. */
  async access(repository: Repository, { url }: RemoteView, signal: AbortSignal): Promise<RemoteAccess> {
    const values = await this.#options.secrets.secrets.valuesOf({ kind: "mirror", repository: repository.name });
    const password = values[tokenName];
    return {
      url,
      signal,
      ...(password === undefined ? {} : { credentials: { username: "x-access-token", password } }),
    };
  }
}

async function post(place: string, token: string, status: OutgoingStatus, signal: AbortSignal): Promise<Response> {
  const { state, description, context, targetUrl } = status;
  try {
    return await fetch(place, {
      method: "POST",
      headers: {
        authorization: `token ${token}`,
        accept: "application/json",
        "content-type": "application/json",
        "user-agent": "tidegate",
      },
      body: JSON.stringify({ state, target_url: targetUrl, description, context }),
      // A redirect would carry the token elsewhere.
      redirect: "manual",
      signal,
    });
  } catch (cause) {
    // "fetch failed" is all that it says itself.
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    throw new Error(`Cannot tell "${place}": ${errorMessage(reason)}`, { cause });
  }
}

/** What the remote answers of one status is no reason to hold back others, unless it is busy or does not know us. */
async function refusal(place: string, response: Response): Promise<Error> {
  const { status } = response;
  const message = `Cannot tell "${place}": it answered ${status}${await wordsOfRefusal(response)}`;
  const isOfAll = status < 400 || status >= 500 || [401, 403, 408, 429].includes(status);
  return isOfAll ? new Error(message) : new ForgeError("forge/refused", message);
}

/** GitHub, Forgejo and Gitea say in a short JSON what is wrong; what else may come is not worth reading. */
async function wordsOfRefusal(response: Response): Promise<string> {
  if (response.status < 400) return ": the repository is somewhere else now. Mirror it by its new address";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk as Uint8Array);
    size += (chunk as Uint8Array).length;
    if (size > 4096) return "";
  }
  try {
    const answer: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    const said = isObject(answer) ? answer["message"] : undefined;
    return typeof said === "string" && said !== "" ? `: ${said.slice(0, 200)}` : "";
  } catch {
    return "";
  }
}
