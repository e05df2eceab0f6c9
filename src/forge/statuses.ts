/** Commit statuses: what somebody says of a commit, by context. The newest word of a context counts. */
import type { Clock } from "#lib";
import { invalid } from "./errors.ts";
import type { EventLog } from "./event-log.ts";
import type { RepositoryRef } from "./ports.ts";
import type { ForgeDatabase, StatusRow } from "./schema.ts";

export const statusStates = ["error", "failure", "pending", "success"] as const;
export type StatusState = (typeof statusStates)[number];

export interface NewStatus {
  readonly state: StatusState;
  readonly context?: string | undefined;
  readonly description?: string | null | undefined;
  readonly targetUrl?: string | null | undefined;
}

export interface StatusView {
  readonly id: number;
  readonly sha: string;
  readonly context: string;
  readonly state: StatusState;
  readonly description: string | null;
  readonly targetUrl: string | null;
  readonly creator: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** GitHub's limit for one commit and context. */
const maxPerContext = 1000;

/** One word for several: a failure or an error spoils it, nothing or something pending leaves it open. */
export function combineStates(states: readonly StatusState[]): "failure" | "pending" | "success" {
  if (states.some((state) => state === "failure" || state === "error")) return "failure";
  return states.length === 0 || states.includes("pending") ? "pending" : "success";
}

export class Statuses {
  readonly #db: ForgeDatabase;
  readonly #clock: Clock;
  readonly #events: EventLog;

  constructor(db: ForgeDatabase, clock: Clock, events: EventLog) {
    this.#db = db;
    this.#clock = clock;
    this.#events = events;
  }

  /** @param sha a commit that is in the repository */
  async create(repository: RepositoryRef, sha: string, status: NewStatus, creator: string): Promise<StatusView> {
    const context = status.context ?? "default";
    check(status, context);
    const values = {
      repository_id: repository.id,
      sha,
      context,
      state: status.state,
      description: status.description ?? null,
      target_url: status.targetUrl ?? null,
      creator,
      created_at: this.#clock.now().epochMilliseconds,
    };
    const created = await this.#db.transaction().execute(async (tx) => {
      const { count } = await tx
        .selectFrom("forge_statuses")
        .select((eb) => eb.fn.countAll<number>().as("count"))
        .where("repository_id", "=", repository.id)
        .where("sha", "=", sha)
        .where("context", "=", context)
        .executeTakeFirstOrThrow();
      if (count >= maxPerContext) {
        const message = `This SHA and context has reached the maximum number of statuses (${maxPerContext})`;
        throw invalid("Status", "context", message);
      }
      const { insertId } = await tx.insertInto("forge_statuses").values(values).executeTakeFirstOrThrow();
      const view = statusView({ ...values, id: Number(insertId) });
      await this.#events.append(tx, repository, creator, { kind: "status", status: view });
      return view;
    });
    this.#events.notify();
    return created;
  }

  /** Newest first. */
  async list(repositoryId: string, sha: string): Promise<readonly StatusView[]> {
    const rows = await this.#db
      .selectFrom("forge_statuses")
      .selectAll()
      .where("repository_id", "=", repositoryId)
      .where("sha", "=", sha)
      .orderBy("id", "desc")
      .execute();
    return rows.map(statusView);
  }

  /** The newest of each context. */
  async latest(repositoryId: string, sha: string): Promise<readonly StatusView[]> {
    const seen = new Set<string>();
    return (await this.list(repositoryId, sha)).filter(({ context }) => !seen.has(context) && seen.add(context));
  }
}

function check(status: NewStatus, context: string): void {
  if (!statusStates.includes(status.state)) {
    throw invalid("Status", "state", `State must be one of ${statusStates.join(", ")}`);
  }
  if (context === "" || context.length > 255) throw invalid("Status", "context", "Context has 1 to 255 characters");
  if ((status.description ?? "").length > 140) {
    throw invalid("Status", "description", "Description is too long (maximum is 140 characters)");
  }
  const url = status.targetUrl ?? "";
  if (url !== "" && !(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && url.length <= 2048)) {
    throw invalid("Status", "target_url", "Target url must use http(s) scheme");
  }
}

function statusView(row: StatusRow): StatusView {
  const { id, sha, context, state, description, creator } = row;
  return { id, sha, context, state, description, creator, targetUrl: row.target_url, createdAt: row.created_at };
}
