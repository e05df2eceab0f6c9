/** All runners with what they do: those that are connected, and those that are registered and away. */
import type { WorkflowsDatabase } from "../run/schema.ts";
import type { RunnerRoster } from "../run/runner-roster.ts";
import { timestamp } from "../run/view.ts";
import { defaultGroup } from "./runner-groups.ts";
import type { RegisteredRunners } from "./registered-runners.ts";

export interface RunnerListView {
  readonly id: string;
  readonly name: string;
  readonly labels: readonly string[];
  readonly group: string;
  /** `busy`: has jobs, whether it is heard of or not. */
  readonly state: "idle" | "busy" | "offline";
  /** Takes one job; then its registration ends. */
  readonly ephemeral: boolean;
  /** Of another machine; the others are this server's own. */
  readonly registered: boolean;
  readonly jobs: readonly { readonly id: string; readonly runId: string; readonly name: string }[];
  /** RFC 3339; absent: never. */
  readonly lastSeenAt?: string;
}

export async function listRunners(
  db: WorkflowsDatabase,
  registered: RegisteredRunners,
  roster: RunnerRoster,
): Promise<readonly RunnerListView[]> {
  const present = new Map(roster.present().map((runner) => [runner.id, runner]));
  const rows = await registered.list();
  const busy = await db
    .selectFrom("workflows_jobs")
    .select(["id", "run_id", "name", "runner_id"])
    .where("status", "=", "in_progress")
    .where("runner_id", "is not", null)
    .orderBy("id")
    .execute();
  const jobsOf = (id: string): RunnerListView["jobs"] =>
    busy
      .filter((job) => job.runner_id === id)
      .map((job) => ({ id: String(job.id), runId: String(job.run_id), name: job.name }));
  const stateOf = (id: string): RunnerListView["state"] =>
    jobsOf(id).length > 0 ? "busy" : present.has(id) ? "idle" : "offline";
  const known = rows
    .filter((row) => row.spent_claim === null || jobsOf(row.id).length > 0)
    .map((row): RunnerListView => {
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
    .map(({ id, name, labels, lastSeenAt }): RunnerListView => {
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
