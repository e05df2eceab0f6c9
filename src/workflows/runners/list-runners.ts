/** All runners with what they do: those that are connected, and those that are registered and away. */
import type { RunnerSummary } from "#api";
import type { WorkflowsDatabase } from "../run/schema.ts";
import type { RunnerRoster } from "../run/runner-roster.ts";
import { timestamp } from "../run/view.ts";
import { defaultGroup } from "./runner-groups.ts";
import type { RegisteredRunners } from "./registered-runners.ts";

export async function listRunners(
  db: WorkflowsDatabase,
  registered: RegisteredRunners,
  roster: RunnerRoster,
): Promise<readonly RunnerSummary[]> {
  const present = new Map(roster.present().map((runner) => [runner.id, runner]));
  const rows = await registered.list();
  const busy = await db
    .selectFrom("workflows_jobs")
    .select(["id", "run_id", "name", "runner_id"])
    .where("status", "=", "in_progress")
    .where("runner_id", "is not", null)
    .orderBy("id")
    .execute();
  const jobsOf = (id: string): RunnerSummary["jobs"] =>
    busy
      .filter((job) => job.runner_id === id)
      .map((job) => ({ id: String(job.id), runId: String(job.run_id), name: job.name }));
  const stateOf = (id: string): RunnerSummary["state"] =>
    jobsOf(id).length > 0 ? "busy" : present.has(id) ? "idle" : "offline";
  const known = rows
    .filter((row) => row.spent_claim === null || jobsOf(row.id).length > 0)
    .map((row): RunnerSummary => {
      const seen =
        present.get(row.id)?.lastSeenAt ?? (row.last_seen_at === null ? undefined : timestamp(row.last_seen_at));
      return {
        id: row.id,
        name: row.name,
        labels: JSON.parse(row.labels_json) as string[],
        group: row.runner_group,
        state: stateOf(row.id),
        ephemeral: row.ephemeral === 1,
        registered: true,
        jobs: jobsOf(row.id),
        ...(seen === undefined ? {} : { lastSeenAt: seen }),
      };
    });
  // One that has had its only job is still connected for a moment.
  const ids = new Set(rows.map(({ id }) => id));
  const own = [...present.values()]
    .filter(({ id }) => !ids.has(id))
    .map(({ id, name, labels, lastSeenAt }): RunnerSummary => {
      const jobs = jobsOf(id);
      return {
        id,
        name,
        labels,
        group: defaultGroup,
        state: stateOf(id),
        ephemeral: false,
        registered: false,
        jobs,
        lastSeenAt,
      };
    });
  return [...own, ...known];
}
