/** What happened here, in order, for whoever follows: written in the transaction in which it happened. */
import type { Selectable } from "kysely";
import { type Clock, SequenceLog } from "#lib";
import type { CheckRunView } from "./checks.ts";
import type { CommentView, IssueView, LabelView } from "./issue-rows.ts";
import type { RepositoryRef } from "./ports.ts";
import type { PullView } from "./pull-view.ts";
import type { ReleaseView } from "./releases.ts";
import type { ReviewView } from "./reviews.ts";
import type { ForgeDatabase, ForgeSchema, ForgeTransaction } from "./schema.ts";
import type { StatusView } from "./statuses.ts";

export type PullAction =
  | "opened"
  | "synchronize"
  | "reopened"
  | "closed"
  | "edited"
  | "labeled"
  | "unlabeled"
  | "assigned"
  | "unassigned"
  | "review_requested"
  | "review_request_removed"
  | "ready_for_review"
  | "converted_to_draft";

/** Each holds what it is about as it was at that moment. */
export type ForgeEvent =
  | {
      readonly kind: "pull";
      readonly action: PullAction;
      readonly pull: PullView;
      /** Of `synchronize`: the head before. */
      readonly before?: string;
      readonly label?: LabelView;
      readonly reviewer?: string;
      /** Of `edited`: what it was before. */
      readonly changes?: { readonly title?: string; readonly body?: string; readonly base?: string };
    }
  | { readonly kind: "issue"; readonly action: string; readonly issue: IssueView; readonly label?: LabelView }
  | {
      readonly kind: "comment";
      readonly action: "created" | "edited" | "deleted";
      readonly issue: IssueView;
      readonly comment: CommentView;
    }
  | { readonly kind: "review"; readonly action: "submitted"; readonly pull: PullView; readonly review: ReviewView }
  | { readonly kind: "status"; readonly status: StatusView }
  | { readonly kind: "check"; readonly action: "created" | "completed"; readonly check: CheckRunView }
  | { readonly kind: "release"; readonly action: string; readonly release: ReleaseView };

export interface RecordedEvent {
  readonly sequence: number;
  /** Milliseconds since 1970; 0 of what happened before times were kept. */
  readonly at: number;
  readonly repositoryId: string;
  readonly repository: string;
  /** Name of an Identity. */
  readonly actor: string;
  readonly event: ForgeEvent;
}

export class EventLog extends SequenceLog<RecordedEvent> {
  readonly #db: ForgeDatabase;
  readonly #clock: Clock;

  constructor(db: ForgeDatabase, clock: Clock) {
    super(async (sequence, limit) => {
      const rows = await db
        .selectFrom("forge_events")
        .selectAll()
        .where("sequence", ">", sequence)
        .orderBy("sequence")
        .limit(limit)
        .execute();
      return rows.map(recordedEvent);
    });
    this.#db = db;
    this.#clock = clock;
  }

  /** Of an issue or pull request, the oldest first. */
  async ofIssue(repositoryId: string, number: number): Promise<readonly RecordedEvent[]> {
    const rows = await this.#db
      .selectFrom("forge_events")
      .selectAll()
      .where("repository_id", "=", repositoryId)
      .where("number", "=", number)
      .orderBy("sequence")
      .execute();
    return rows.map(recordedEvent);
  }

  /** Call `notify` after the transaction. */
  async append(tx: ForgeTransaction, repository: RepositoryRef, actor: string, event: ForgeEvent): Promise<void> {
    const values = {
      repository_id: repository.id,
      repository: repository.name,
      actor,
      event_json: JSON.stringify(event),
      number: numberOf(event),
      at: this.#clock.now().epochMilliseconds,
    };
    await tx.insertInto("forge_events").values(values).execute();
  }
}

function recordedEvent(row: Selectable<ForgeSchema["forge_events"]>): RecordedEvent {
  const { sequence, repository, actor, at } = row;
  return {
    sequence,
    repositoryId: row.repository_id,
    repository,
    actor,
    at,
    event: JSON.parse(row.event_json) as ForgeEvent,
  };
}

function numberOf(event: ForgeEvent): number | null {
  switch (event.kind) {
    case "pull":
    case "review":
      return event.pull.number;
    case "issue":
    case "comment":
      return event.issue.number;
    case "status":
    case "check":
    case "release":
      return null;
  }
}
