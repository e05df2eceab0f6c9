/**
 * What there is to say of the file of a run that runs all the same. It is looked for once the run has begun: nobody's job
 * waits for it. Which runs are still to be looked at is noted in the transaction that makes them.
 */
import { errorMessage, type Problem } from "#lib";
import type { RunParts } from "./parts.ts";
import { findRun } from "./run-store.ts";
import type { RunRow, RunsTable } from "./schema.ts";

/** What a push starts goes first: until then its jobs are with their runners. */
export const giveWayMs = 10;

/** @param told called with a run that got remarks */
export async function runRemarks(parts: RunParts, told: (runId: number) => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const due = await parts.db.selectFrom("workflows_remarks_due").select("run_id").orderBy("run_id").execute();
    for (const { run_id } of due) {
      if (await remark(parts, run_id, signal)) told(run_id);
    }
    if (due.length > 0) continue;
    await parts.remarks.wait(signal);
    await parts.clock.sleep(giveWayMs, signal);
  }
}

async function remark(parts: RunParts, runId: number, signal: AbortSignal): Promise<boolean> {
  const run = await findRun(parts.db, runId);
  const found = run === undefined ? [] : await remarksOn(parts, run, signal);
  await parts.db.transaction().execute(async (tx) => {
    await tx.deleteFrom("workflows_remarks_due").where("run_id", "=", runId).execute();
    const now = found.length === 0 ? undefined : await findRun(tx, runId);
    if (now !== undefined)
      await tx.updateTable("workflows_runs").set(added(now, found)).where("id", "=", runId).execute();
  });
  return found.length > 0;
}

function added({ problems_json }: RunRow, found: readonly Problem[]): Pick<RunsTable, "problems_json"> {
  return { problems_json: JSON.stringify([...(JSON.parse(problems_json) as Problem[]), ...found]) };
}

/** None where they cannot be found: the run is none the worse. */
async function remarksOn(parts: RunParts, run: RunRow, signal: AbortSignal): Promise<readonly Problem[]> {
  const { repository, sha, path } = run;
  try {
    const file = (await parts.source.files(repository, sha, { signal })).find((one) => one.path === path);
    return file === undefined ? [] : await parts.review(repository, file, { signal });
  } catch (error) {
    signal.throwIfAborted();
    parts.log.warn("The file of a run was not looked at", {
      run: run.id,
      repository,
      sha,
      path,
      error: errorMessage(error),
    });
    return [];
  }
}
