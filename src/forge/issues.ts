/** Issues, the comments on them and on pull requests. Numbers are shared with pull requests. */
import type { Clock } from "#lib";
import { notFound } from "./errors.ts";
import type { EventLog, ForgeEvent, PullAction } from "./event-log.ts";
import {
  addLabel,
  checkBody,
  checkText,
  commentView,
  findComment,
  findIssue,
  insertIssue,
  issueView,
  labelsOf,
  names,
  requireComment,
  requireIssue,
  requireRow,
  sameName,
  stateValues,
  touched,
  type CommentView,
  type IssueView,
  type LabelView,
} from "./issue-rows.ts";
import type { RepositoryRef } from "./ports.ts";
import { pullView } from "./pull-view.ts";
import type { ForgeDatabase, ForgeTransaction, IssueRow } from "./schema.ts";

export interface IssueChange {
  readonly title?: string | undefined;
  readonly body?: string | null | undefined;
  readonly state?: "open" | "closed" | undefined;
  readonly stateReason?: string | null | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly assignees?: readonly string[] | undefined;
}

export interface IssueFilter {
  readonly state?: "open" | "closed" | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly author?: string | undefined;
  readonly assignee?: string | undefined;
  /** Changed then or later, in milliseconds since 1970. */
  readonly since?: number | undefined;
  readonly kind?: "issue" | "pull" | undefined;
}

/** To somebody, to anybody (`*`) or to nobody (`none`), as GitHub asks it. */
function isAssigned({ assignees }: IssueView, wanted: string): boolean {
  if (wanted === "none") return assignees.length === 0;
  return wanted === "*" ? assignees.length > 0 : assignees.includes(wanted);
}

export interface IssuesParts {
  readonly db: ForgeDatabase;
  readonly clock: Clock;
  readonly events: EventLog;
}

export class Issues {
  readonly #parts: IssuesParts;

  constructor(parts: IssuesParts) {
    this.#parts = parts;
  }

  async create(
    repository: RepositoryRef,
    issue: IssueChange & { readonly title: string },
    author: string,
  ): Promise<IssueView> {
    checkText("Issue", issue);
    return await this.#write(async (tx, nowMs) => {
      const id = await insertIssue(tx, repository.id, { kind: "issue", author, nowMs, ...issue });
      for (const name of issue.labels ?? []) await addLabel(tx, repository.id, id, name);
      const view = await issueView(tx, await requireRow(tx, id));
      await this.#parts.events.append(tx, repository, author, { kind: "issue", action: "opened", issue: view });
      return view;
    });
  }

  async get(repositoryId: string, number: number): Promise<IssueView | undefined> {
    return await this.#parts.db.transaction().execute(async (tx) => {
      const row = await findIssue(tx, repositoryId, number);
      return row === undefined ? undefined : await issueView(tx, row);
    });
  }

  /** Newest first. Pull requests are among them, as on GitHub. */
  async list(repositoryId: string, filter: IssueFilter): Promise<readonly IssueView[]> {
    return await this.#parts.db.transaction().execute(async (tx) => {
      let query = tx.selectFrom("forge_issues").selectAll().where("repository_id", "=", repositoryId);
      if (filter.state !== undefined) query = query.where("state", "=", filter.state);
      if (filter.author !== undefined) query = query.where("author", "=", filter.author);
      if (filter.since !== undefined) query = query.where("updated_at", ">=", filter.since);
      if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
      const views: IssueView[] = [];
      for (const row of await query.orderBy("number", "desc").execute()) views.push(await issueView(tx, row));
      const wanted = filter.labels ?? [];
      return views
        .filter((view) => filter.assignee === undefined || isAssigned(view, filter.assignee))
        .filter((view) => wanted.every((name) => view.labels.some((label) => sameName(label.name, name))));
    });
  }

  async update(repository: RepositoryRef, number: number, change: IssueChange, actor: string): Promise<IssueView> {
    checkText("Issue", change);
    return await this.#write(async (tx, nowMs) => {
      const row = await requireIssue(tx, repository.id, number);
      const { labels, assignees } = change;
      const state = row.kind === "pull" ? undefined : change.state;
      const values = {
        ...(change.title === undefined ? {} : { title: change.title }),
        ...(change.body === undefined ? {} : { body: change.body ?? "" }),
        ...(assignees === undefined ? {} : { assignees: JSON.stringify(names(assignees)) }),
        ...(state === undefined || state === row.state ? {} : stateValues(state, change.stateReason, nowMs)),
        updated_at: nowMs,
      };
      await tx.updateTable("forge_issues").set(values).where("id", "=", row.id).execute();
      if (labels !== undefined) await this.#replaceLabels(tx, repository, row, labels, actor);
      const view = await issueView(tx, await requireRow(tx, row.id));
      if (row.kind === "issue") {
        const action = view.state === row.state ? "edited" : view.state === "open" ? "reopened" : "closed";
        await this.#parts.events.append(tx, repository, actor, { kind: "issue", action, issue: view });
      }
      return view;
    });
  }

  async addLabels(
    repository: RepositoryRef,
    number: number,
    labels: readonly string[],
    actor: string,
  ): Promise<IssueView> {
    return await this.#write(async (tx, nowMs) => {
      const row = await requireIssue(tx, repository.id, number);
      await this.#addLabels(tx, repository, row, labels, actor);
      return await touched(tx, row, nowMs);
    });
  }

  async setLabels(
    repository: RepositoryRef,
    number: number,
    labels: readonly string[],
    actor: string,
  ): Promise<IssueView> {
    return await this.#write(async (tx, nowMs) => {
      const row = await requireIssue(tx, repository.id, number);
      await this.#replaceLabels(tx, repository, row, labels, actor);
      return await touched(tx, row, nowMs);
    });
  }

  async removeLabel(repository: RepositoryRef, number: number, name: string, actor: string): Promise<IssueView> {
    return await this.#write(async (tx, nowMs) => {
      const row = await requireIssue(tx, repository.id, number);
      const label = (await labelsOf(tx, row.id)).find((one) => sameName(one.name, name));
      if (label === undefined) throw notFound(`label "${name}" on #${number}`);
      await this.#unlabel(tx, repository, row, label, actor);
      return await touched(tx, row, nowMs);
    });
  }

  async comments(repositoryId: string, number: number): Promise<readonly CommentView[]> {
    return await this.#parts.db.transaction().execute(async (tx) => {
      const row = await requireIssue(tx, repositoryId, number);
      const rows = await tx
        .selectFrom("forge_comments")
        .selectAll()
        .where("issue_id", "=", row.id)
        .orderBy("id")
        .execute();
      return rows.map((comment) => commentView(comment, number));
    });
  }

  /** Of all issues and pull requests of the repository, the oldest first. */
  async allComments(repositoryId: string): Promise<readonly CommentView[]> {
    const rows = await this.#parts.db
      .selectFrom("forge_comments")
      .innerJoin("forge_issues", "forge_issues.id", "forge_comments.issue_id")
      .selectAll("forge_comments")
      .select("forge_issues.number")
      .where("forge_comments.repository_id", "=", repositoryId)
      .orderBy("forge_comments.id")
      .execute();
    return rows.map(({ number, ...row }) => commentView(row, number));
  }

  async comment(repositoryId: string, id: number): Promise<CommentView | undefined> {
    return await this.#parts.db.transaction().execute(async (tx) => {
      const found = await findComment(tx, repositoryId, id);
      return found === undefined ? undefined : commentView(found.row, found.issue.number);
    });
  }

  async addComment(repository: RepositoryRef, number: number, body: string, author: string): Promise<CommentView> {
    checkBody("IssueComment", body);
    return await this.#write(async (tx, nowMs) => {
      const issue = await requireIssue(tx, repository.id, number);
      const values = {
        issue_id: issue.id,
        repository_id: repository.id,
        author,
        body,
        created_at: nowMs,
        updated_at: nowMs,
      };
      const { insertId } = await tx.insertInto("forge_comments").values(values).executeTakeFirstOrThrow();
      const comment = commentView({ ...values, minimized: null, id: Number(insertId) }, number);
      const view = await touched(tx, issue, nowMs);
      const event = { kind: "comment", action: "created", issue: view, comment } as const;
      await this.#parts.events.append(tx, repository, author, event);
      return comment;
    });
  }

  async editComment(repository: RepositoryRef, id: number, body: string, actor: string): Promise<CommentView> {
    checkBody("IssueComment", body);
    return await this.#write(async (tx, nowMs) => {
      const { row, issue } = await requireComment(tx, repository.id, id);
      const values = { body, updated_at: nowMs };
      await tx.updateTable("forge_comments").set(values).where("id", "=", id).execute();
      const comment = commentView({ ...row, ...values }, issue.number);
      const view = await touched(tx, issue, nowMs);
      const event = { kind: "comment", action: "edited", issue: view, comment } as const;
      await this.#parts.events.append(tx, repository, actor, event);
      return comment;
    });
  }

  /** Folds it away for a reason, or with null shows it again. */
  async minimizeComment(repository: RepositoryRef, id: number, reason: string | null): Promise<CommentView> {
    return await this.#write(async (tx) => {
      const { row, issue } = await requireComment(tx, repository.id, id);
      await tx.updateTable("forge_comments").set({ minimized: reason }).where("id", "=", id).execute();
      return commentView({ ...row, minimized: reason }, issue.number);
    });
  }

  /** The repository and number of an issue, a pull request, or what a comment is about, by ids of this whole server. */
  async place(
    kind: "issue" | "comment",
    id: number,
  ): Promise<{ readonly repositoryId: string; readonly number: number } | undefined> {
    const { db } = this.#parts;
    const issues = db.selectFrom("forge_issues").select(["repository_id", "number"]);
    const of = db.selectFrom("forge_comments").select("issue_id").where("id", "=", id);
    const row = await issues.where("id", "=", kind === "issue" ? id : of).executeTakeFirst();
    return row === undefined ? undefined : { repositoryId: row.repository_id, number: row.number };
  }

  async deleteComment(repository: RepositoryRef, id: number, actor: string): Promise<void> {
    await this.#write(async (tx, nowMs) => {
      const { row, issue } = await requireComment(tx, repository.id, id);
      await tx.deleteFrom("forge_comments").where("id", "=", id).execute();
      const comment = commentView(row, issue.number);
      const view = await touched(tx, issue, nowMs);
      const event = { kind: "comment", action: "deleted", issue: view, comment } as const;
      await this.#parts.events.append(tx, repository, actor, event);
    });
  }

  async #addLabels(
    tx: ForgeTransaction,
    repository: RepositoryRef,
    row: IssueRow,
    wanted: readonly string[],
    actor: string,
  ): Promise<void> {
    const had = await labelsOf(tx, row.id);
    for (const name of names(wanted)) {
      if (had.some((label) => sameName(label.name, name))) continue;
      const label = await addLabel(tx, repository.id, row.id, name);
      await this.#tell(tx, repository, row, "labeled", label, actor);
    }
  }

  async #replaceLabels(
    tx: ForgeTransaction,
    repository: RepositoryRef,
    row: IssueRow,
    wanted: readonly string[],
    actor: string,
  ): Promise<void> {
    for (const label of await labelsOf(tx, row.id)) {
      if (wanted.some((name) => sameName(label.name, name))) continue;
      await this.#unlabel(tx, repository, row, label, actor);
    }
    await this.#addLabels(tx, repository, row, wanted, actor);
  }

  async #unlabel(
    tx: ForgeTransaction,
    repository: RepositoryRef,
    row: IssueRow,
    label: LabelView,
    actor: string,
  ): Promise<void> {
    await tx.deleteFrom("forge_issue_labels").where("issue_id", "=", row.id).where("label_id", "=", label.id).execute();
    await this.#tell(tx, repository, row, "unlabeled", label, actor);
  }

  async #tell(
    tx: ForgeTransaction,
    repository: RepositoryRef,
    row: IssueRow,
    action: Extract<PullAction, "labeled" | "unlabeled">,
    label: LabelView,
    actor: string,
  ): Promise<void> {
    const pull = row.kind === "pull" ? await pullView(tx, row) : undefined;
    const event: ForgeEvent =
      pull === undefined
        ? { kind: "issue", action, issue: await issueView(tx, row), label }
        : { kind: "pull", action, pull, label };
    await this.#parts.events.append(tx, repository, actor, event);
  }

  async #write<T>(work: (tx: ForgeTransaction, nowMs: number) => Promise<T>): Promise<T> {
    const nowMs = this.#parts.clock.now().epochMilliseconds;
    const result = await this.#parts.db.transaction().execute((tx) => work(tx, nowMs));
    this.#parts.events.notify();
    return result;
  }
}
