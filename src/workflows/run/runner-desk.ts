/** What runners ask for: work, and to be believed about the work they have. */
import { errorMessage, isAbort, withDeadline } from "#lib";
import { ExpressionFailure, WorkflowsError } from "../errors.ts";
import {
  claimWaitMs,
  protocolLimits,
  type AbandonRequest,
  type Annotation,
  type ClaimRequest,
  type CompleteRequest,
  type HeartbeatRequest,
  type HeartbeatResponse,
  type JobAssignment,
  type LogRequest,
  type LogResponse,
  type ReportRequest,
  type ReportResponse,
  type StepState,
  type StepsRequest,
} from "../protocol.ts";
import { buildAssignment } from "./assignment.ts";
import type { RunParts } from "./parts.ts";
import type { RunDriver } from "./run-driver.ts";
import { deploys, findJob, findRun, toTell, type WorkflowsTransaction } from "./run-store.ts";
import { mayClaim, spend } from "../runners/registered-runners.ts";
import { RunnerGroups } from "../runners/runner-groups.ts";
import { hasLabels, isInGroup, RunnerRoster } from "./runner-roster.ts";
import type { JobRow } from "./schema.ts";

export class RunnerDesk {
  readonly #parts: RunParts;
  readonly #driver: RunDriver;
  readonly roster: RunnerRoster;
  readonly groups: RunnerGroups;

  constructor(parts: RunParts, driver: RunDriver) {
    this.#parts = parts;
    this.#driver = driver;
    this.roster = new RunnerRoster(parts.clock);
    this.groups = new RunnerGroups(parts.db);
  }

  /** Waits for a job that fits the labels; undefined when none came in time or the signal aborted. */
  async claim(request: ClaimRequest, signal: AbortSignal, registered = false): Promise<JobAssignment | undefined> {
    const deadline = withDeadline(AbortSignal.any([signal, this.#parts.tasks.signal]), claimWaitMs);
    using free = this.#driver.claimWake();
    this.roster.asked(request);
    while (!deadline.aborted) {
      const row = await this.#take(request, registered).catch((error: unknown) => {
        // Refused for good: nobody should wait for it.
        if (error instanceof WorkflowsError) this.roster.forget(request.runnerId);
        throw error;
      });
      if (row === undefined) {
        const woken = await free.wake.wait(deadline).then(
          () => true,
          () => false,
        );
        // Whoever goes without an answer, and does not come back at once, is away.
        if (signal.aborted) this.roster.left(request.runnerId);
        if (!woken) return undefined;
        continue;
      }
      const assignment = await this.#assign(row, signal);
      if (assignment !== undefined) return assignment;
    }
    return undefined;
  }

  /** The job of an earlier request with the same claim id, else the first queued one that fits, now leased. */
  async #take(request: ClaimRequest, registered: boolean): Promise<JobRow | undefined> {
    const { db, clock, ids } = this.#parts;
    const nowMs = clock.now().epochMilliseconds;
    const mayTake = await this.groups.rule(request.group);
    const taken = await db.transaction().execute(async (tx) => {
      const again = await tx
        .selectFrom("workflows_jobs")
        .selectAll()
        .where("claim_id", "=", request.claimId)
        .executeTakeFirst();
      if (again !== undefined) return again.status === "in_progress" ? { row: again, runStarted: false } : undefined;
      const runner = registered ? await mayClaim(tx, request) : undefined;
      const fit = await firstQueued(tx, (row) => mayTake(row.repository) && fits(row, request));
      if (fit === undefined) return undefined;
      if (runner !== undefined) await spend(tx, runner, request);
      const values = {
        status: "in_progress",
        tries: fit.tries + 1,
        runner_id: request.runnerId,
        runner_name: request.name,
        claim_id: request.claimId,
        lease: ids.secret(),
        token_live: 1,
        started_at: nowMs,
      } as const;
      await tx.updateTable("workflows_jobs").set(values).where("id", "=", fit.id).execute();
      return { row: { ...fit, ...values }, runStarted: await markStarted(tx, fit.run_id, nowMs) };
    });
    if (taken === undefined) return undefined;
    const { row, runStarted } = taken;
    this.#driver.leases.renew(row.id);
    if (deploys(row)) await this.#driver.recordDeployments(row.run_id);
    if (runStarted) {
      this.#parts.followUps.notify();
      this.#driver.notify(row.run_id);
    }
    this.#driver.notify(row.run_id, row.id);
    return row;
  }

  /** Undefined when the job turned out not to be runnable and has been failed. */
  async #assign(row: JobRow, signal: AbortSignal): Promise<JobAssignment | undefined> {
    const run = await findRun(this.#parts.db, row.run_id);
    if (run === undefined) throw new WorkflowsError("workflows/not-found", `Job ${row.id} has no run`);
    try {
      return await buildAssignment(this.#parts, this.#driver.tokens, run, row, signal);
    } catch (error) {
      if (!(error instanceof ExpressionFailure)) throw error;
      const message = errorMessage(error);
      await this.#finish(row, { conclusion: "failure", annotations: [{ level: "error", message }], message });
      return undefined;
    }
  }

  /** The job that somebody holds by this lease. */
  async held(jobId: number, lease: string): Promise<JobRow> {
    return await this.#leased(jobId, lease);
  }

  async heartbeat(jobId: number, request: HeartbeatRequest, signal: AbortSignal): Promise<HeartbeatResponse> {
    using changed = this.#driver.jobWake(jobId);
    const waitMs = Math.min(request.waitMs ?? 0, this.#parts.leaseMs / 3);
    const deadline = withDeadline(AbortSignal.any([signal, this.#parts.tasks.signal]), waitMs);
    for (;;) {
      const job = await this.#leased(jobId, request.lease);
      if (job.cancel_requested === 1 || waitMs <= 0) return { cancel: job.cancel_requested === 1 };
      try {
        await changed.wake.wait(deadline);
      } catch (error) {
        if (!isAbort(error) && !deadline.aborted) throw error;
        return { cancel: false };
      }
    }
  }

  async steps(jobId: number, request: StepsRequest): Promise<void> {
    await this.#takeSteps(await this.#leased(jobId, request.lease), request.steps, request.revision);
  }

  async #takeSteps(job: JobRow, steps: readonly StepState[], revision: number): Promise<void> {
    if (job.status === "completed") return;
    const newer = await this.#parts.db.transaction().execute((tx) => saveSteps(tx, job, steps, revision));
    if (newer) this.#driver.notify(job.run_id, job.id, "steps");
  }

  /** Steps first: whoever sees a line finds its step there. */
  async report(jobId: number, request: ReportRequest): Promise<ReportResponse> {
    const job = await this.#leased(jobId, request.lease);
    const { steps, revision = 0, logs } = request;
    if (steps !== undefined) await this.#takeSteps(job, steps, revision);
    return { acknowledged: await this.#takeLogs(job, logs) };
  }

  /** Of each, how many lines of it there are now. */
  async #takeLogs(job: JobRow, logs: ReportRequest["logs"]): Promise<readonly number[]> {
    const acknowledged = await Promise.all(
      logs.map(async ({ step, firstLine, lines }) => {
        return await this.#parts.logs.append({ jobId: job.id, try: job.tries, step }, firstLine, lines);
      }),
    );
    if (logs.some(({ lines }) => lines.length > 0)) this.#driver.notify(job.run_id, job.id, "log");
    return acknowledged;
  }

  async appendLog(jobId: number, request: LogRequest): Promise<LogResponse> {
    const job = await this.#leased(jobId, request.lease);
    const key = { jobId, try: job.tries, step: request.step };
    const acknowledged = await this.#parts.logs.append(key, request.firstLine, request.lines);
    if (request.lines.length > 0) this.#driver.notify(job.run_id, jobId, "log");
    return { acknowledged };
  }

  async complete(jobId: number, request: CompleteRequest): Promise<ReportResponse> {
    const job = await this.#leased(jobId, request.lease);
    const { logs = [] } = request;
    if (job.status !== "completed") {
      await this.#parts.db.transaction().execute((tx) => saveSteps(tx, job, request.steps, Number.MAX_SAFE_INTEGER));
    }
    const acknowledged = await this.#takeLogs(job, logs);
    // Whoever sees the job completed has all of its log.
    const whole = logs.every(({ firstLine, lines }, index) => (acknowledged[index] ?? 0) >= firstLine + lines.length);
    if (job.status === "completed") await this.#driver.advance(job.run_id);
    else if (whole) await this.#finish(job, request);
    return { acknowledged };
  }

  /** Writes the end of a job and goes on with its run. */
  async #finish(
    job: JobRow,
    end: {
      readonly conclusion: "success" | "failure" | "cancelled";
      readonly outputs?: Readonly<Record<string, string>>;
      readonly annotations: readonly Annotation[];
      readonly summary?: string;
      readonly message?: string;
      readonly environmentUrl?: string;
    },
  ): Promise<void> {
    const result = await this.#parts.db
      .updateTable("workflows_jobs")
      .set({
        status: "completed",
        conclusion: end.conclusion,
        outputs_json: JSON.stringify(end.outputs ?? {}),
        annotations_json: JSON.stringify(end.annotations),
        summary: end.summary ?? "",
        message: end.message ?? null,
        environment_url: end.environmentUrl ?? null,
        completed_at: this.#parts.clock.now().epochMilliseconds,
      })
      .where("id", "=", job.id)
      .where("status", "=", "in_progress")
      .where("lease", "=", job.lease)
      .executeTakeFirst();
    if (result.numUpdatedRows === 0n) {
      // Completed by a repetition that was faster, or lost meanwhile.
      await this.#leased(job.id, job.lease ?? "");
    }
    this.#driver.jobLeft(job.id);
    this.#driver.notify(job.run_id, job.id);
    await this.#driver.advance(job.run_id);
  }

  async abandon(jobId: number, request: AbandonRequest): Promise<void> {
    const job = await this.#leased(jobId, request.lease);
    if (job.status === "completed") return;
    this.#parts.log.warn("Runner gave a job up", { job: jobId, run: job.run_id, reason: request.reason });
    await this.#driver.giveUp(job, request.reason);
  }

  /** The job of this lease, its lease renewed if it still runs. */
  async #leased(jobId: number, lease: string): Promise<JobRow> {
    const job = await findJob(this.#parts.db, jobId);
    if (job === undefined) throw new WorkflowsError("workflows/not-found", `There is no job ${jobId}`);
    if (job.lease === null || job.lease !== lease) {
      throw new WorkflowsError("workflows/lease-lost", `Job ${jobId} is no longer yours: stop it and forget it`);
    }
    if (job.status === "in_progress") this.#driver.leases.renew(jobId);
    this.roster.answered(job.runner_id);
    return job;
  }
}

/** Mostly the first of all fits; those behind it are not read. */
const firstPage = 8;

/** The job that waits longest of those that are `wanted`. */
async function firstQueued(
  tx: WorkflowsTransaction,
  wanted: (row: Pick<JobRow, "instance_json"> & { readonly repository: string }) => boolean,
): Promise<JobRow | undefined> {
  for (let from = 0, size = firstPage; ; from += size, size *= 8) {
    const page = await tx
      .selectFrom("workflows_jobs as job")
      .innerJoin("workflows_runs as run", "run.id", "job.run_id")
      .select(["job.id", "job.instance_json", "run.repository"])
      .where("job.status", "=", "queued")
      .orderBy("job.queued_at")
      .orderBy("job.id")
      .limit(size)
      .offset(from)
      .execute();
    const found = page.find(wanted);
    if (found !== undefined) return await findJob(tx, found.id);
    if (page.length < size) return undefined;
  }
}

/** Whether the runner is one that the job asks for. */
function fits(row: Pick<JobRow, "instance_json">, runner: Pick<ClaimRequest, "labels" | "group">): boolean {
  const { labels = [], runnerGroup } = JSON.parse(row.instance_json ?? "{}") as {
    readonly labels?: readonly string[];
    readonly runnerGroup?: string;
  };
  return hasLabels(runner.labels, labels) && isInGroup(runner.group, runnerGroup);
}

/** Whether it was the first of the run. */
async function markStarted(tx: WorkflowsTransaction, runId: number, nowMs: number): Promise<boolean> {
  const result = await tx
    .updateTable("workflows_runs")
    .set({ status: "in_progress", started_at: nowMs })
    .where("id", "=", runId)
    .where("status", "=", "queued")
    .returning(["id", "attempt"])
    .executeTakeFirst();
  if (result !== undefined) await toTell(tx, result, "in_progress");
  return result !== undefined;
}

/** False when a newer list is there already. */
async function saveSteps(
  tx: WorkflowsTransaction,
  job: JobRow,
  steps: readonly StepState[],
  revision: number,
): Promise<boolean> {
  const key = { job_id: job.id, try: job.tries };
  const known = await tx
    .selectFrom("workflows_steps")
    .select("revision")
    .where("job_id", "=", key.job_id)
    .where("try", "=", key.try)
    .executeTakeFirst();
  if (known !== undefined && known.revision >= revision) return false;
  const values = { revision, steps_json: JSON.stringify(steps.slice(0, protocolLimits.steps)) };
  await tx
    .insertInto("workflows_steps")
    .values({ ...key, ...values })
    .onConflict((conflict) => conflict.columns(["job_id", "try"]).doUpdateSet(values))
    .execute();
  return true;
}
