/** Issues, labels and comments as rows, and as others see them. */
import { ForgeError, invalid, notFound } from "./errors.ts";
import type { CommentRow, ForgeTransaction, IssueRow, LabelRow } from "./schema.ts";

export interface LabelView {
  readonly id: number;
  readonly name: string;
  readonly color: string;
  readonly description: string | null;
}

export interface IssueView {
  readonly id: number;
  readonly number: number;
  readonly kind: "issue" | "pull";
  readonly title: string;
  readonly body: string;
  readonly state: "open" | "closed";
  readonly stateReason: string | null;
  readonly author: string;
  readonly assignees: readonly string[];
  readonly labels: readonly LabelView[];
  readonly comments: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly closedAt: number | null;
}

export interface CommentView {
  readonly id: number;
  readonly number: number;
  readonly author: string;
  readonly body: string;
  /** Why it is folded away; null: it is not. */
  readonly minimized: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** GitHub's own limits. */
const maxTitleLength = 256;
const maxBodyLength = 65_536;
const maxNames = 100;

export interface NewIssue {
  readonly kind: IssueRow["kind"];
  readonly title: string;
  readonly body?: string | null | undefined;
  readonly author: string;
  readonly assignees?: readonly string[] | undefined;
  readonly nowMs: number;
}

/** Takes the repository's next number. */
export async function insertIssue(tx: ForgeTransaction, repositoryId: string, issue: NewIssue): Promise<number> {
  const last = await tx
    .selectFrom("forge_numbers")
    .select("next")
    .where("repository_id", "=", repositoryId)
    .executeTakeFirst();
  const number = last?.next ?? 1;
  await tx
    .insertInto("forge_numbers")
    .values({ repository_id: repositoryId, next: number + 1 })
    .onConflict((conflict) => conflict.column("repository_id").doUpdateSet({ next: number + 1 }))
    .execute();
  const { insertId } = await tx
    .insertInto("forge_issues")
    .values({
      repository_id: repositoryId,
      number,
      kind: issue.kind,
      title: issue.title,
      body: issue.body ?? "",
      state: "open",
      state_reason: null,
      author: issue.author,
      created_at: issue.nowMs,
      updated_at: issue.nowMs,
      closed_at: null,
      assignees: JSON.stringify(names(issue.assignees ?? [])),
      reviewers: "[]",
    })
    .executeTakeFirstOrThrow();
  return Number(insertId);
}

export function stateValues(
  state: "open" | "closed",
  reason: string | null | undefined,
  nowMs: number,
): Pick<IssueRow, "state" | "state_reason" | "closed_at"> {
  if (state === "open") return { state, state_reason: reason ?? null, closed_at: null };
  return { state, state_reason: reason ?? "completed", closed_at: nowMs };
}

export async function findIssue(
  tx: ForgeTransaction,
  repositoryId: string,
  number: number,
): Promise<IssueRow | undefined> {
  return await tx
    .selectFrom("forge_issues")
    .selectAll()
    .where("repository_id", "=", repositoryId)
    .where("number", "=", number)
    .executeTakeFirst();
}

export async function requireIssue(tx: ForgeTransaction, repositoryId: string, number: number): Promise<IssueRow> {
  const row = await findIssue(tx, repositoryId, number);
  if (row === undefined) throw notFound(`issue or pull request #${number}`);
  return row;
}

export async function requireRow(tx: ForgeTransaction, id: number): Promise<IssueRow> {
  return await tx.selectFrom("forge_issues").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
}

export async function touched(tx: ForgeTransaction, row: IssueRow, nowMs: number): Promise<IssueView> {
  await tx.updateTable("forge_issues").set({ updated_at: nowMs }).where("id", "=", row.id).execute();
  return await issueView(tx, { ...row, updated_at: nowMs });
}

export async function issueView(tx: ForgeTransaction, row: IssueRow): Promise<IssueView> {
  const { count } = await tx
    .selectFrom("forge_comments")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("issue_id", "=", row.id)
    .executeTakeFirstOrThrow();
  const { id, number, kind, title, body, state, author } = row;
  return {
    id,
    number,
    kind,
    title,
    body,
    state,
    author,
    stateReason: row.state_reason,
    assignees: JSON.parse(row.assignees) as string[],
    labels: await labelsOf(tx, id),
    comments: count,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    closedAt: row.closed_at,
  };
}

export async function labelsOf(tx: ForgeTransaction, issueId: number): Promise<readonly LabelView[]> {
  const rows = await tx
    .selectFrom("forge_issue_labels")
    .innerJoin("forge_labels", "forge_labels.id", "forge_issue_labels.label_id")
    .selectAll("forge_labels")
    .where("issue_id", "=", issueId)
    .orderBy("name")
    .execute();
  return rows.map(labelView);
}

/** A label that is not known yet comes into being, grey. */
export async function addLabel(
  tx: ForgeTransaction,
  repositoryId: string,
  issueId: number,
  name: string,
): Promise<LabelView> {
  const find = async (): Promise<LabelRow | undefined> =>
    await tx
      .selectFrom("forge_labels")
      .selectAll()
      .where("repository_id", "=", repositoryId)
      .where("name", "=", name)
      .executeTakeFirst();
  if ((await find()) === undefined) {
    if (name.trim() === "" || name.length > 50) throw invalid("Label", "name", "Label has 1 to 50 characters");
    const values = { repository_id: repositoryId, name, color: "ededed", description: null };
    await tx.insertInto("forge_labels").values(values).execute();
  }
  const label = await find();
  if (label === undefined) throw notFound(`label "${name}"`);
  await tx
    .insertInto("forge_issue_labels")
    .values({ issue_id: issueId, label_id: label.id })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return labelView(label);
}

export function labelView({ id, name, color, description }: LabelRow): LabelView {
  return { id, name, color, description };
}

export async function findComment(
  tx: ForgeTransaction,
  repositoryId: string,
  id: number,
): Promise<{ readonly row: CommentRow; readonly issue: IssueRow } | undefined> {
  const row = await tx
    .selectFrom("forge_comments")
    .selectAll()
    .where("repository_id", "=", repositoryId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row === undefined ? undefined : { row, issue: await requireRow(tx, row.issue_id) };
}

export async function requireComment(
  tx: ForgeTransaction,
  repositoryId: string,
  id: number,
): Promise<{ readonly row: CommentRow; readonly issue: IssueRow }> {
  const found = await findComment(tx, repositoryId, id);
  if (found === undefined) throw notFound(`comment ${id}`);
  return found;
}

export function commentView(row: CommentRow, number: number): CommentView {
  const { id, author, body, minimized } = row;
  return { id, number, author, body, minimized, createdAt: row.created_at, updatedAt: row.updated_at };
}

export function names(list: readonly string[]): readonly string[] {
  const found = [...new Set(list.map((name) => name.trim()).filter((name) => name !== ""))];
  if (found.length > maxNames) throw new ForgeError("forge/too-large", `At most ${maxNames} names are allowed`);
  return found;
}

export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export function checkText(
  resource: string,
  { title, body }: { readonly title?: string | undefined; readonly body?: string | null | undefined },
): void {
  if (title !== undefined && (title.trim() === "" || title.length > maxTitleLength)) {
    throw invalid(resource, "title", `Title has 1 to ${maxTitleLength} characters`);
  }
  if ((body ?? "").length > maxBodyLength) {
    throw invalid(resource, "body", `Body is too long (maximum is ${maxBodyLength} characters)`);
  }
}

export function checkBody(resource: string, body: string): void {
  if (body.trim() === "") throw invalid(resource, "body", "Body can't be blank");
  checkText(resource, { body });
}
