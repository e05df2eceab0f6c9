/** Environments as rows. */
import type { EnvironmentSettings } from "#api";
import { WorkflowsError } from "../errors.ts";
import { environmentObstacle, type GateFacts } from "../plan/environment-gate.ts";
import type { WorkflowSourcePort } from "../ports.ts";
import type { RunRow, WorkflowsDatabase } from "../run/schema.ts";
import type { EnvironmentRow } from "./schema.ts";
import { openSettings, rulesOf } from "./settings.ts";

export function settingsOf(row: Pick<EnvironmentRow, "settings_json">): EnvironmentSettings {
  return { ...openSettings, ...(JSON.parse(row.settings_json) as Partial<EnvironmentSettings>) };
}

export function environmentKey(name: string): string {
  return name.toLowerCase();
}

export async function findEnvironment(
  db: WorkflowsDatabase,
  repository: string,
  name: string,
): Promise<EnvironmentRow | undefined> {
  return await db
    .selectFrom("workflows_environments")
    .selectAll()
    .where("repository", "=", repository)
    .where("key", "=", environmentKey(name))
    .executeTakeFirst();
}

/** Throws `WorkflowsError` when the environment is not there and the repository has too many. */
export async function requireRoom(db: WorkflowsDatabase, repository: string, name: string): Promise<void> {
  const rows = await db
    .selectFrom("workflows_environments")
    .select("key")
    .where("repository", "=", repository)
    .execute();
  const obstacle = environmentObstacle(name, new Set(rows.map(({ key }) => key)));
  if (obstacle !== undefined) throw new WorkflowsError("workflows/not-possible-now", obstacle);
}

/** The environment a job names comes into being with it, and asks for nothing. */
export async function ensureEnvironment(
  db: WorkflowsDatabase,
  repository: string,
  name: string,
  actor: string,
  nowMs: number,
): Promise<void> {
  await db
    .insertInto("workflows_environments")
    .values({
      repository,
      name,
      key: environmentKey(name),
      settings_json: JSON.stringify(openSettings),
      created_at: nowMs,
      updated_at: nowMs,
      updated_by: actor,
    })
    .onConflict((conflict) => conflict.columns(["repository", "key"]).doNothing())
    .execute();
}

/** What the gates of a run are judged by now. */
export async function gateFacts(
  parts: { readonly db: WorkflowsDatabase; readonly source: WorkflowSourcePort },
  run: Pick<RunRow, "repository" | "ref">,
  epochMs: number,
  signal: AbortSignal,
): Promise<GateFacts> {
  const rows = await parts.db
    .selectFrom("workflows_environments")
    .selectAll()
    .where("repository", "=", run.repository)
    .execute();
  const rules = new Map(rows.map((row) => [row.key, rulesOf(row.name, settingsOf(row))]));
  const asks = [...rules.values()].some(({ branchPolicy }) => branchPolicy.kind === "protected");
  const isProtected = asks && (await parts.source.isProtected(run.repository, run.ref, { signal }));
  return { rules, ref: run.ref, isProtected, epochMs };
}
