/** The workflows of a repository as its default branch has them. */
import type { Triggers } from "../parse/model.ts";
import { effectiveFiles } from "../parse/workflow-file.ts";
import { disabledPaths } from "./switches.ts";
import type { RunParts } from "./parts.ts";
import type { ScheduleRow } from "./schema.ts";
import { timestamp, type ScheduledWorkflowView, type WorkflowView } from "./view.ts";

const eventNames: Readonly<Record<Exclude<keyof Triggers, "activities">, string>> = {
  push: "push",
  pullRequest: "pull_request",
  pullRequestTarget: "pull_request_target",
  workflowDispatch: "workflow_dispatch",
  workflowCall: "workflow_call",
  workflowRun: "workflow_run",
  schedule: "schedule",
  repositoryDispatch: "repository_dispatch",
};

export async function listWorkflows(
  parts: RunParts,
  repository: string,
  signal: AbortSignal,
): Promise<readonly WorkflowView[]> {
  const head = await parts.source.defaultHead(repository, { signal });
  if (head === undefined) return [];
  const files = effectiveFiles(await parts.source.files(repository, head.sha, { signal }));
  const disabled = await disabledPaths(parts.db, repository);
  const planned = await parts.db
    .selectFrom("workflows_schedules")
    .selectAll()
    .where("repository", "=", repository)
    .execute();
  const views = await Promise.all(
    files.map(async ({ path, text }): Promise<WorkflowView> => {
      const { value, problems } = await parts.reader.read(path, text);
      const enabled = !disabled.has(path);
      const inputs = value?.on.workflowDispatch?.inputs;
      return {
        path,
        name: value?.name ?? path,
        enabled,
        events: value === undefined ? [] : eventsOf(value.on),
        schedules: (value?.on.schedule ?? []).map(({ cron, timezone }) => ({
          cron,
          timezone,
          ...(enabled ? nextOf(planned, path, cron, timezone) : {}),
        })),
        problems,
        ...(inputs === undefined ? {} : { inputs }),
      };
    }),
  );
  return views.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function eventsOf(on: Triggers): readonly string[] {
  const own = Object.entries(eventNames).flatMap(([key, name]) =>
    on[key as keyof Triggers] === undefined ? [] : [name],
  );
  return [...own, ...Object.keys(on.activities ?? {})];
}

function nextOf(
  rows: readonly ScheduleRow[],
  path: string,
  cron: string,
  timezone: string,
): { readonly nextAt?: string } {
  const row = rows.find((one) => one.path === path && one.cron === cron && one.timezone === timezone);
  return row === undefined ? {} : { nextAt: timestamp(row.next_at) };
}

/** All schedules of enabled workflows, the next one first. */
export async function listSchedules(parts: RunParts): Promise<readonly ScheduledWorkflowView[]> {
  const rows = await parts.db
    .selectFrom("workflows_schedules as schedule")
    .leftJoin("workflows_disabled as disabled", (join) =>
      join.onRef("disabled.repository", "=", "schedule.repository").onRef("disabled.path", "=", "schedule.path"),
    )
    .selectAll("schedule")
    .where("disabled.path", "is", null)
    .orderBy("schedule.next_at")
    .execute();
  return rows.map(({ repository, path, name, cron, timezone, next_at }) => ({
    repository,
    path,
    workflow: name,
    cron,
    timezone,
    nextAt: timestamp(next_at),
  }));
}
