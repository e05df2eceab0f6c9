/**
 * `schedule`: runs of the default branch at their times. The next time of each is kept in the database and moves on only
 * after its run has begun, and the run's event is named by that time: a time starts one run, whatever happens between.
 *
 * Times that pass while the server is down are made up for by one run when it is back, however many they were.
 */
import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from "kysely";
import { errorMessage } from "#lib";
import type { Workflow } from "../parse/model.ts";
import { nextTime, parseCron } from "../plan/cron.ts";
import type { WorkflowEvent } from "./event.ts";
import type { RunParts } from "./parts.ts";
import type { WorkflowsTransaction } from "./run-store.ts";
import type { ScheduleRow, WorkflowsSchema } from "./schema.ts";

/** The schedules of the default branch, if the event moved it. */
export async function schedulesOf(
  parts: RunParts,
  event: WorkflowEvent,
  files: readonly { readonly value?: Workflow }[],
  signal: AbortSignal,
): Promise<readonly ScheduleRow[] | undefined> {
  if (event.name !== "push" || !event.ref.startsWith("refs/heads/")) return undefined;
  const { defaultBranch } = await parts.source.repository(event.repository, { signal });
  if (event.ref !== `refs/heads/${defaultBranch}`) return undefined;
  return files.flatMap((file) => scheduleRows(parts, event.repository, file.value));
}

function scheduleRows(parts: RunParts, repository: string, workflow: Workflow | undefined): readonly ScheduleRow[] {
  return (workflow?.on.schedule ?? []).flatMap(({ cron, timezone }) => {
    const next = nextMs(parts, cron, timezone);
    const { path = "", name = "" } = workflow ?? {};
    return next === undefined ? [] : [{ repository, path, name, cron, timezone, next_at: next }];
  });
}

function nextMs(parts: RunParts, text: string, timezone: string): number | undefined {
  const { cron } = parseCron(text);
  if (cron === undefined) return undefined;
  try {
    return nextTime(cron, timezone, parts.clock.now())?.epochMilliseconds;
  } catch (error) {
    parts.log.warn("Schedule cannot be planned", { cron: text, timezone, error: errorMessage(error) });
    return undefined;
  }
}

/** Schedules that were there keep their next time, which may be one that is to be made up for. */
export async function saveSchedules(
  tx: WorkflowsTransaction,
  repository: string,
  rows: readonly ScheduleRow[],
): Promise<void> {
  const before = await tx.selectFrom("workflows_schedules").selectAll().where("repository", "=", repository).execute();
  await tx.deleteFrom("workflows_schedules").where("repository", "=", repository).execute();
  const unique = new Map(rows.map((row) => [keyOf(row), row]));
  for (const [key, row] of unique) {
    const known = before.find((one) => keyOf(one) === key);
    await tx
      .insertInto("workflows_schedules")
      .values({ ...row, next_at: known?.next_at ?? row.next_at })
      .execute();
  }
}

function keyOf(row: ScheduleRow): string {
  return JSON.stringify([row.path, row.cron, row.timezone]);
}

/** Starts what is due, for ever. `accept` is the one entry of events. */
export async function runSchedules(
  parts: RunParts,
  accept: (event: WorkflowEvent, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const nowMs = parts.clock.now().epochMilliseconds;
    const due = await parts.db.selectFrom("workflows_schedules").selectAll().where("next_at", "<=", nowMs).execute();
    for (const row of due) await fire(parts, row, accept, signal);
    if (due.length === 0) await untilNext(parts, nowMs, signal);
  }
}

/** Clocks are set and machines sleep: never longer than this without looking. */
const maxSleepMs = 60_000;

async function untilNext(parts: RunParts, nowMs: number, signal: AbortSignal): Promise<void> {
  const row = await parts.db
    .selectFrom("workflows_schedules")
    .select("next_at")
    .orderBy("next_at")
    .limit(1)
    .executeTakeFirst();
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    const changed = parts.schedules.wait(either);
    if (row === undefined) await changed;
    else await Promise.race([changed, parts.clock.sleep(Math.min(row.next_at - nowMs, maxSleepMs), either)]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    over.abort();
  }
}

async function fire(
  parts: RunParts,
  row: ScheduleRow,
  accept: (event: WorkflowEvent, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { repository, path, cron, timezone, next_at: dueMs } = row;
  try {
    const head = await parts.source.defaultHead(repository, { signal });
    if (head !== undefined) {
      const id = `schedule:${JSON.stringify([repository, path, cron, timezone, dueMs])}`;
      await accept({ id, name: "schedule", repository, ...head, actor: "schedule", workflow: path, cron }, signal);
    }
  } catch (error) {
    if (signal.aborted) return;
    // A repository that is gone or a file that cannot be read must not keep the others from their times.
    parts.log.error("Scheduled workflow did not start", { repository, path, cron, error });
  }
  const next = nextMs(parts, cron, timezone);
  const key = { repository, path, cron, timezone };
  if (next === undefined) await parts.db.deleteFrom("workflows_schedules").where(matching(key)).execute();
  else await parts.db.updateTable("workflows_schedules").set({ next_at: next }).where(matching(key)).execute();
}

type ScheduleKey = Omit<ScheduleRow, "name" | "next_at">;

function matching(
  key: ScheduleKey,
): (
  eb: ExpressionBuilder<WorkflowsSchema, "workflows_schedules">,
) => ExpressionWrapper<WorkflowsSchema, "workflows_schedules", SqlBool> {
  return (eb) => eb.and(key);
}
