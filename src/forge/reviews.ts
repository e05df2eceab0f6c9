/** What people say of a pull request as a whole. */
import type { Clock } from "#lib";
import { invalid, notFound } from "./errors.ts";
import type { EventLog } from "./event-log.ts";
import { checkText } from "./issue-rows.ts";
import type { RepositoryRef } from "./ports.ts";
import { pullNumbered } from "./pull-rows.ts";
import type { ForgeDatabase, ReviewRow } from "./schema.ts";

type ReviewState = ReviewRow["state"];

export interface ReviewView {
  readonly id: number;
  readonly author: string;
  readonly state: ReviewState;
  readonly body: string;
  readonly commitId: string;
  readonly submittedAt: number;
}

export const reviewEvents = ["APPROVE", "REQUEST_CHANGES", "COMMENT"] as const;

const stateOf: Readonly<Record<(typeof reviewEvents)[number], ReviewState>> = {
  APPROVE: "APPROVED",
  REQUEST_CHANGES: "CHANGES_REQUESTED",
  COMMENT: "COMMENTED",
};

export class Reviews {
  readonly #parts: { readonly db: ForgeDatabase; readonly clock: Clock; readonly events: EventLog };

  constructor(parts: { readonly db: ForgeDatabase; readonly clock: Clock; readonly events: EventLog }) {
    this.#parts = parts;
  }

  async list(repositoryId: string, number: number): Promise<readonly ReviewView[]> {
    return await this.#parts.db.transaction().execute(async (tx) => {
      const pull = await pullNumbered(tx, repositoryId, number);
      if (pull === undefined) throw notFound(`pull request #${number}`);
      const rows = tx.selectFrom("forge_reviews").selectAll().where("issue_id", "=", pull.id).orderBy("id");
      return (await rows.execute()).map(reviewView);
    });
  }

  async submit(
    repository: RepositoryRef,
    number: number,
    review: { readonly event: (typeof reviewEvents)[number]; readonly body: string; readonly commitId?: string },
    author: string,
  ): Promise<ReviewView> {
    checkText("PullRequestReview", { body: review.body });
    if (review.event !== "APPROVE" && review.body.trim() === "") {
      throw invalid("PullRequestReview", "body", "Body can't be blank");
    }
    const nowMs = this.#parts.clock.now().epochMilliseconds;
    const submitted = await this.#parts.db.transaction().execute(async (tx) => {
      const pull = await pullNumbered(tx, repository.id, number);
      if (pull === undefined) throw notFound(`pull request #${number}`);
      if (review.event !== "COMMENT" && pull.author === author) {
        throw invalid("PullRequestReview", "event", "Can not approve or reject your own pull request");
      }
      const values = {
        issue_id: pull.id,
        author,
        state: stateOf[review.event],
        body: review.body,
        commit_id: review.commitId ?? pull.head.sha,
        submitted_at: nowMs,
      };
      const { insertId } = await tx.insertInto("forge_reviews").values(values).executeTakeFirstOrThrow();
      const view = reviewView({ ...values, id: Number(insertId) });
      const event = { kind: "review", action: "submitted", pull, review: view } as const;
      await this.#parts.events.append(tx, repository, author, event);
      return view;
    });
    this.#parts.events.notify();
    return submitted;
  }
}

function reviewView(row: ReviewRow): ReviewView {
  const { id, author, state, body } = row;
  return { id, author, state, body, commitId: row.commit_id, submittedAt: row.submitted_at };
}
