/** What people set for workflows: which are switched off, and whose may be called by other owners. */
import type { WorkflowsDatabase } from "./schema.ts";

export async function disabledPaths(db: WorkflowsDatabase, repository: string): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom("workflows_disabled").select("path").where("repository", "=", repository).execute();
  return new Set(rows.map((row) => row.path));
}

export interface SwitchRequest {
  readonly repository: string;
  readonly path: string;
  readonly enabled: boolean;
  readonly actor: string;
  readonly nowMs: number;
}

export async function switchWorkflow(db: WorkflowsDatabase, request: SwitchRequest): Promise<void> {
  const { repository, path, enabled, actor, nowMs } = request;
  if (enabled) {
    await db.deleteFrom("workflows_disabled").where("repository", "=", repository).where("path", "=", path).execute();
    return;
  }
  await db
    .insertInto("workflows_disabled")
    .values({ repository, path, actor, disabled_at: nowMs })
    .onConflict((conflict) => conflict.columns(["repository", "path"]).doNothing())
    .execute();
}

export interface ShareRequest {
  readonly repository: string;
  readonly shared: boolean;
  readonly actor: string;
  readonly nowMs: number;
}

export async function shareWorkflows(db: WorkflowsDatabase, request: ShareRequest): Promise<void> {
  const repository = request.repository.toLowerCase();
  if (!request.shared) {
    await db.deleteFrom("workflows_shared").where("repository", "=", repository).execute();
    return;
  }
  await db
    .insertInto("workflows_shared")
    .values({ repository, actor: request.actor, shared_at: request.nowMs })
    .onConflict((conflict) => conflict.column("repository").doNothing())
    .execute();
}

/** Repositories of one owner call each other; those of others only what was shared. */
export async function mayCall(db: WorkflowsDatabase, from: string, called: string): Promise<boolean> {
  const owner = (name: string): string => name.split("/")[0]?.toLowerCase() ?? "";
  if (owner(from) === owner(called)) return true;
  const row = await db
    .selectFrom("workflows_shared")
    .select("repository")
    .where("repository", "=", called.toLowerCase())
    .executeTakeFirst();
  return row !== undefined;
}
