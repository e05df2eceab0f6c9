/**
 * Drives runs: observe the tables, plan, write what was planned in one transaction, until there is nothing to do. Every
 * change that can matter to a run calls `advance`; a crash between the change and the call is made up for at the start.
 */
import { KeyedLock, Wake } from "#lib";
import type { GateFacts } from "../plan/environment-gate.ts";
import { lostJob, planRun, type RunAction } from "../plan/plan-run.ts";
import { findGates } from "../environments/gates.ts";
import { gateFacts } from "../environments/environment-rows.ts";
import { recordDeployments, unsettledRuns } from "../environments/record-deployments.ts";
import { JobTokens } from "./job-tokens.ts";
import { Leases } from "./leases.ts";
import type { RunParts } from "./parts.ts";
import { settleGroup } from "./run-groups.ts";
import {
  applyAction,
  deploys,
  findJob,
  findMembers,
  findPlannedJobs,
  findRun,
  jobState,
  runContexts,
  workflowOf,
} from "./run-store.ts";
import type { JobRow, RunRow } from "./schema.ts";

export class RunDriver implements Disposable {
  readonly #parts: RunParts;
  readonly #lock = new KeyedLock();
  readonly #claimers = new Set<Wake>();
  readonly #jobWakes = new Map<number, Set<Wake>>();
  readonly leases: Leases;
  readonly tokens: JobTokens;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.tokens = new JobTokens(parts);
    this.leases = new Leases(parts.clock, parts.leaseMs, (jobId) => this.#leaseEnded(jobId));
  }

  /** Takes up what an earlier process left: renews leases, goes on with every run, ends tokens of ended jobs. */
  async resume(): Promise<void> {
    const { db } = this.#parts;
    const running = await db
      .selectFrom("workflows_jobs")
      .select("id")
      .where("status", "=", "in_progress")
      // Calls of workflows are in progress without a runner.
      .where("lease", "is not", null)
      .execute();
    for (const job of running) this.leases.renew(job.id);
    const runs = await db
      .selectFrom("workflows_runs")
      .select(["id", "repository"])
      .where("status", "!=", "completed")
      .orderBy("id")
      .execute();
    for (const run of runs) await this.#resumeRun(run);
    for (const id of await unsettledRuns(db)) await this.recordDeployments(id);
    await this.tokens.revokeEnded();
  }

  /** One run that cannot go on must not hold up the others, nor the start of the process. */
  async #resumeRun(run: Pick<RunRow, "id" | "repository">): Promise<void> {
    try {
      await this.advance(run.id);
    } catch (error) {
      this.#parts.log.error("Cannot go on with a run", { run: run.id, repository: run.repository, error });
    }
  }

  /** Until nothing is left to do for the run now. Safe to call at any time, any number of times. */
  async advance(runId: number): Promise<void> {
    await this.#lock.run(String(runId), async () => {
      await this.#advanceAlone(runId);
      await this.#recordDeployments(runId);
    });
    for (const { repository, name } of await this.#groupsOf(runId)) await this.#advanceGroup(repository, name);
  }

  async #advanceAlone(runId: number): Promise<void> {
    for (;;) {
      const run = await findRun(this.#parts.db, runId);
      if (run === undefined || run.status === "completed" || run.status === "pending") return;
      const actions = await this.#plan(run);
      if (actions.length === 0) return;
      await this.#apply(run, actions);
      if (actions.some((action) => action.kind === "finish-run")) return;
    }
  }

  /** Writes what the deployments of a run lack of what its jobs did. */
  async recordDeployments(runId: number): Promise<void> {
    await this.#lock.run(String(runId), () => this.#recordDeployments(runId));
  }

  async #recordDeployments(id: number): Promise<void> {
    await recordDeployments(this.#parts.db, { id }, this.#parts.clock.now().epochMilliseconds);
  }

  /** Groups in which something may be due: one the run or a job of it waits for, or has left by completing. */
  async #groupsOf(runId: number): Promise<readonly { readonly repository: string; readonly name: string }[]> {
    return await this.#parts.db
      .selectFrom("workflows_group_members")
      .select(["repository", "name"])
      .distinct()
      .where("run_id", "=", runId)
      .execute();
  }

  async #plan(run: RunRow): Promise<readonly RunAction[]> {
    const workflow = workflowOf(run);
    if (workflow === undefined) return [{ kind: "finish-run", conclusion: "failure" }];
    const rows = await findPlannedJobs(this.#parts.db, run);
    const members = await findMembers(this.#parts.db, run.id);
    const gated = rows.some(deploys);
    const gates = gated ? await findGates(this.#parts.db, run.id) : undefined;
    return planRun({
      workflow,
      jobs: rows.map((row) => jobState(row, this.leases.endsMs(row.id), members, gates?.get(row.id))),
      ...(gated ? { gates: await this.#gateFacts(run) } : {}),
      ...(run.concurrency_group === null ? {} : { group: run.concurrency_group }),
      contexts: runContexts(run, this.#parts.services.base),
      cancelRequested: run.cancel_requested === 1,
      nowMs: this.leases.nowMs(),
    });
  }

  async #gateFacts(run: RunRow): Promise<GateFacts> {
    const { clock, tasks } = this.#parts;
    return await gateFacts(this.#parts, run, clock.now().epochMilliseconds, tasks.signal);
  }

  async #apply(run: RunRow, actions: readonly RunAction[]): Promise<void> {
    const { db, clock, log } = this.#parts;
    const nowMs = clock.now().epochMilliseconds;
    await db.transaction().execute(async (tx) => {
      for (const action of actions) await applyAction(tx, run, action, nowMs);
    });
    for (const action of actions) {
      log.debug("Run advanced", { run: run.id, action: action.kind });
      this.#announce(run.id, action);
    }
  }

  #announce(runId: number, action: RunAction): void {
    if (action.kind === "finish-run") {
      this.notify(runId);
      this.#parts.followUps.notify();
      return;
    }
    const jobId = Number(action.jobId);
    if (action.kind === "requeue" || action.kind === "finish-job") this.jobLeft(jobId);
    if (action.kind === "arrive") this.#parts.gates.notify();
    if (action.kind === "queue" || action.kind === "requeue") for (const wake of this.#claimers) wake.notify();
    this.notify(runId, jobId);
  }

  /** Treats the job as lost, if it is still under this lease: only here and in `advance` can it lose it. */
  async giveUp(job: JobRow, reason: string): Promise<void> {
    await this.#lock.run(String(job.run_id), async () => {
      const run = await findRun(this.#parts.db, job.run_id);
      const now = await findJob(this.#parts.db, job.id);
      if (run === undefined || now?.status !== "in_progress" || now.lease !== job.lease) return;
      const state = jobState(now, this.leases.nowMs());
      await this.#apply(run, [lostJob({ cancelRequested: run.cancel_requested === 1 }, state, reason)]);
    });
    await this.advance(job.run_id);
  }

  /** Tells everybody who follows the run or the job. */
  notify(runId: number, jobId?: number, kind?: "steps" | "log"): void {
    const job = jobId === undefined ? {} : { jobId: String(jobId) };
    this.#parts.notices.send({ runId: String(runId), ...job, kind: kind ?? (jobId === undefined ? "run" : "job") });
    if (jobId !== undefined) for (const wake of this.#jobWakes.get(jobId) ?? []) wake.notify();
  }

  /** Lets the next run or job of the group start, or replaces what waits. */
  async #advanceGroup(repository: string, group: string): Promise<void> {
    const settled = await this.#lock.run(`${repository} ${group}`, () => settleGroup(this.#parts, repository, group));
    if (settled.length > 0) this.#parts.followUps.notify();
    for (const { runId, jobId } of settled) {
      if (jobId !== undefined) this.notify(runId, jobId);
      this.notify(runId);
    }
    for (const runId of new Set(settled.map((one) => one.runId))) await this.advance(runId);
  }

  /** Who may take what has changed: every runner that waits looks again. */
  offer(): void {
    for (const wake of this.#claimers) wake.notify();
  }

  /** Notified when a job may be free for the taking. Look first, then wait: others may have been faster. */
  claimWake(): Disposable & { readonly wake: Wake } {
    const wake = new Wake();
    this.#claimers.add(wake);
    return { wake, [Symbol.dispose]: () => void this.#claimers.delete(wake) };
  }

  /** Notified at each change of the job, its steps and its log. */
  jobWake(jobId: number): Disposable & { readonly wake: Wake } {
    const wake = new Wake();
    const wakes = this.#jobWakes.get(jobId) ?? new Set();
    this.#jobWakes.set(jobId, wakes.add(wake));
    return {
      wake,
      [Symbol.dispose]: () => {
        wakes.delete(wake);
        if (wakes.size === 0 && this.#jobWakes.get(jobId) === wakes) this.#jobWakes.delete(jobId);
      },
    };
  }

  /** For a job that is no longer with its runner. */
  jobLeft(jobId: number): void {
    this.leases.end(jobId);
    this.tokens.revoke(String(jobId));
  }

  #leaseEnded(jobId: number): void {
    this.#parts.tasks.start("end lease", async () => {
      const job = await findJob(this.#parts.db, jobId);
      if (job === undefined) return;
      this.#parts.log.warn("Runner of a job fell silent", { job: jobId, run: job.run_id, runner: job.runner_name });
      await this.advance(job.run_id);
    });
  }

  [Symbol.dispose](): void {
    this.leases[Symbol.dispose]();
  }
}
