/** Pull requests as rows. */
import { findIssue } from "./issue-rows.ts";
import { pullView, type PullView } from "./pull-view.ts";
import type { ForgeTransaction, PullRow } from "./schema.ts";

export interface PullFilter {
  readonly state?: "open" | "closed" | undefined;
  /** Name of a branch. */
  readonly base?: string | undefined;
  readonly head?: { readonly owner: string | undefined; readonly branch: string } | undefined;
}

export async function pullNumbered(
  tx: ForgeTransaction,
  repositoryId: string,
  number: number,
): Promise<PullView | undefined> {
  const row = await findIssue(tx, repositoryId, number);
  return row === undefined ? undefined : await pullView(tx, row);
}

export async function pullsOf(
  tx: ForgeTransaction,
  repositoryId: string,
  filter: PullFilter,
): Promise<readonly PullView[]> {
  let query = tx
    .selectFrom("forge_issues")
    .innerJoin("forge_pulls", "forge_pulls.issue_id", "forge_issues.id")
    .selectAll("forge_issues")
    .where("repository_id", "=", repositoryId);
  if (filter.state !== undefined) query = query.where("state", "=", filter.state);
  if (filter.base !== undefined) query = query.where("base_ref", "=", filter.base);
  if (filter.head !== undefined) query = query.where("head_ref", "=", filter.head.branch);
  const views: PullView[] = [];
  for (const row of await query.orderBy("number", "desc").execute()) {
    const view = await pullView(tx, row);
    if (view !== undefined) views.push(view);
  }
  const owner = filter.head?.owner?.toLowerCase();
  if (owner === undefined) return views;
  return views.filter((view) => view.head.repository.toLowerCase().startsWith(`${owner}/`));
}

export async function pullsWithHead(
  tx: ForgeTransaction,
  repositoryId: string,
  sha: string,
): Promise<readonly PullView[]> {
  const rows = await tx
    .selectFrom("forge_issues")
    .innerJoin("forge_pulls", "forge_pulls.issue_id", "forge_issues.id")
    .selectAll("forge_issues")
    .where("repository_id", "=", repositoryId)
    .where("head_sha", "=", sha)
    .orderBy("number", "desc")
    .execute();
  const views = [];
  for (const row of rows) views.push(await pullView(tx, row));
  return views.filter((view) => view !== undefined);
}

/** Whether one is open from that branch into that base. */
export async function openPullsAt(
  tx: ForgeTransaction,
  repositoryId: string,
  place: { readonly repository_id: string; readonly ref: string; readonly base: string },
): Promise<boolean> {
  const row = await tx
    .selectFrom("forge_issues")
    .innerJoin("forge_pulls", "forge_pulls.issue_id", "forge_issues.id")
    .select("number")
    .where("repository_id", "=", repositoryId)
    .where("state", "=", "open")
    .where("base_ref", "=", place.base)
    .where("head_ref", "=", place.ref)
    .where("head_repository_id", "=", place.repository_id)
    .executeTakeFirst();
  return row !== undefined;
}

export async function savePull(
  tx: ForgeTransaction,
  issueId: number,
  values: Partial<Omit<PullRow, "issue_id">>,
  nowMs: number,
): Promise<void> {
  if (Object.keys(values).length > 0) {
    await tx.updateTable("forge_pulls").set(values).where("issue_id", "=", issueId).execute();
  }
  await tx.updateTable("forge_issues").set({ updated_at: nowMs }).where("id", "=", issueId).execute();
}
