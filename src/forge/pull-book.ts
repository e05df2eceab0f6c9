/** The rows of pull requests, each change written with the event that tells of it. Knows no git. */
import type { Clock } from "#lib";
import { notFound } from "./errors.ts";
import type { EventLog, ForgeEvent } from "./event-log.ts";
import { findIssue, stateValues } from "./issue-rows.ts";
import type { RepositoryRef } from "./ports.ts";
import type { TestMerge } from "./pull-merge.ts";
import { pullNumbered, savePull } from "./pull-rows.ts";
import type { PullView } from "./pull-view.ts";
import type { ForgeDatabase, ForgeTransaction } from "./schema.ts";

export interface ReviewerChange {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

export interface PullBookParts {
  readonly db: ForgeDatabase;
  readonly clock: Clock;
  readonly events: EventLog;
}

export class PullBook {
  readonly #parts: PullBookParts;

  constructor(parts: PullBookParts) {
    this.#parts = parts;
  }

  async requestReviewers(
    repository: RepositoryRef,
    number: number,
    change: ReviewerChange,
    actor: string,
  ): Promise<PullView> {
    return await this.write(async (tx) => {
      const pull = await pullNumbered(tx, repository.id, number);
      if (pull === undefined) throw notFound(`pull request #${number}`);
      const kept = pull.reviewers.filter((login) => !(change.remove ?? []).includes(login));
      const reviewers = [...new Set([...kept, ...(change.add ?? [])])];
      const values = { reviewers: JSON.stringify(reviewers) };
      await tx.updateTable("forge_issues").set(values).where("id", "=", pull.id).execute();
      for (const reviewer of reviewers.filter((login) => !pull.reviewers.includes(login))) {
        await this.tell(tx, repository, number, actor, { action: "review_requested", reviewer });
      }
      return { ...pull, reviewers };
    });
  }

  /** Before the base moves. A squash or a rebase leaves no commit of the head in it by which it could be known later. */
  async mergeBegins(pull: PullView, sha: string, actor: string): Promise<void> {
    await this.#parts.db
      .updateTable("forge_pulls")
      .set({ merging_sha: sha, merging_by: actor })
      .where("issue_id", "=", pull.id)
      .execute();
  }

  async mergeBegun(pull: PullView): Promise<{ readonly sha: string; readonly actor: string } | undefined> {
    const row = await this.#parts.db
      .selectFrom("forge_pulls")
      .select(["merging_sha", "merging_by"])
      .where("issue_id", "=", pull.id)
      .executeTakeFirst();
    const { merging_sha: sha, merging_by: actor } = row ?? { merging_sha: null, merging_by: null };
    return sha === null || actor === null ? undefined : { sha, actor };
  }

  async merged(
    repository: RepositoryRef,
    number: number,
    merge: { readonly base: string; readonly sha: string; readonly actor: string },
  ): Promise<void> {
    await this.write(async (tx, nowMs) => {
      const row = await findIssue(tx, repository.id, number);
      if (row === undefined || row.state === "closed") return;
      const closed = stateValues("closed", null, nowMs);
      await tx.updateTable("forge_issues").set(closed).where("id", "=", row.id).execute();
      const values = { merged_at: nowMs, merged_by: merge.actor, merge_commit_sha: merge.sha };
      await savePull(tx, row.id, { ...values, base_sha: merge.base }, nowMs);
      await this.tell(tx, repository, number, merge.actor, { action: "closed" });
    });
  }

  async close(repository: RepositoryRef, number: number, actor: string): Promise<void> {
    await this.write(async (tx, nowMs) => {
      const row = await findIssue(tx, repository.id, number);
      if (row === undefined || row.state === "closed") return;
      const values = { ...stateValues("closed", null, nowMs), updated_at: nowMs };
      await tx.updateTable("forge_issues").set(values).where("id", "=", row.id).execute();
      await this.tell(tx, repository, number, actor, { action: "closed" });
    });
  }

  async setDraft(repository: RepositoryRef, pull: PullView, draft: boolean | undefined, actor: string): Promise<void> {
    if (draft === undefined || draft === pull.draft) return;
    await this.write(async (tx, nowMs) => {
      await savePull(tx, pull.id, { draft: draft ? 1 : 0 }, nowMs);
      const action = draft ? "converted_to_draft" : "ready_for_review";
      await this.tell(tx, repository, pull.number, actor, { action });
    });
  }

  async tell(
    tx: ForgeTransaction,
    repository: RepositoryRef,
    number: number,
    actor: string,
    told: Omit<Extract<ForgeEvent, { kind: "pull" }>, "kind" | "pull">,
  ): Promise<PullView> {
    const pull = await pullNumbered(tx, repository.id, number);
    if (pull === undefined) throw notFound(`pull request #${number}`);
    await this.#parts.events.append(tx, repository, actor, { kind: "pull", pull, ...told });
    return pull;
  }

  async write<T>(work: (tx: ForgeTransaction, nowMs: number) => Promise<T>): Promise<T> {
    const nowMs = this.#parts.clock.now().epochMilliseconds;
    const result = await this.#parts.db.transaction().execute((tx) => work(tx, nowMs));
    this.#parts.events.notify();
    return result;
  }
}

export function mergeColumns(merge: TestMerge): {
  test_merge_sha: string | null;
  mergeable: number | null;
  conflicts: string;
} {
  const mergeable = merge.mergeable === null ? null : merge.mergeable ? 1 : 0;
  return { test_merge_sha: merge.sha, mergeable, conflicts: JSON.stringify(merge.conflicts.slice(0, 100)) };
}
