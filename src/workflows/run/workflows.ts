/** The durable state of all runs, and all that can be done with them. */
import { join } from "node:path";
import { Channel, KeyedLock, TaskGroup, type Clock, type Database, type Ids, type Log } from "#lib";
import { WorkflowsError } from "../errors.ts";
import type { JobTokenPort, ServicesPort, VariablesPort, WorkflowSourcePort } from "../ports.ts";
import { acceptEvent } from "./accept-event.ts";
import type { WorkflowEvent } from "./event.ts";
import { LogStore } from "./log-store.ts";
import type { RunParts } from "./parts.ts";
import { findSteps, readLog, type LogOptions } from "./read-log.ts";
import { rerun, type RerunOptions } from "./rerun.ts";
import { RunDriver } from "./run-driver.ts";
import { endPending } from "./run-groups.ts";
import { findJob, findJobs, findRun, workflowOf } from "./run-store.ts";
import { RunnerDesk } from "./runner-desk.ts";
import { openTables, type JobRow, type RunRow } from "./schema.ts";
import {
  jobView,
  runView,
  type JobView,
  type LogEntryView,
  type RunDetails,
  type RunnerView,
  type RunNotice,
  type RunView,
} from "./view.ts";

export interface WorkflowsOptions {
  readonly database: Database;
  /** Data folder; logs go to `logs/` in it. */
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly source: WorkflowSourcePort;
  readonly tokens: JobTokenPort;
  readonly variables: VariablesPort;
  readonly services: ServicesPort;
  /** How long a runner may be silent before its job counts as lost; default 30 seconds. */
  readonly leaseMs?: number;
}

export interface RunFilter {
  readonly repository?: string;
  readonly sha?: string;
  readonly ref?: string;
  readonly event?: string;
  /** Path of the workflow file. */
  readonly workflow?: string;
  readonly status?: RunView["status"];
  /** Only runs older than this one: the next page. */
  readonly before?: string;
  /** At most 200; default 50. */
  readonly limit?: number;
}

/** Creates what is missing. What an earlier process left goes on with `resume`, or when something happens to it. */
export async function openWorkflows(options: WorkflowsOptions): Promise<Workflows> {
  const { clock, ids, log, source, tokens, variables, services } = options;
  const db = await openTables(options.database);
  const parts: RunParts = {
    db,
    clock,
    ids,
    log,
    source,
    tokens,
    variables,
    services,
    notices: new Channel<RunNotice>(),
    logs: new LogStore(join(options.folder, "logs")),
    tasks: new TaskGroup((error, name) => log.error("Background work of workflows failed", { error, task: name })),
    leaseMs: options.leaseMs ?? 30_000,
  };
  return new Workflows(parts);
}

export class Workflows implements AsyncDisposable {
  readonly #parts: RunParts;
  readonly #events = new KeyedLock();
  /** For this room only. */
  readonly driver: RunDriver;
  /** For the protocol's routes. */
  readonly desk: RunnerDesk;

  constructor(parts: RunParts) {
    this.#parts = parts;
    this.driver = new RunDriver(parts);
    this.desk = new RunnerDesk(parts, this.driver);
  }

  /**
   * Starts the runs of an event and returns their ids. After it returns, they survive anything; before, the same event
   * may be told again: it starts them once. Throws `WorkflowsError` for a dispatch that cannot be.
   */
  async accept(event: WorkflowEvent, options: { readonly signal: AbortSignal }): Promise<readonly string[]> {
    const { runs, fresh } = await this.#events.run(event.id, () => acceptEvent(this.#parts, event, options.signal));
    if (fresh) {
      this.#parts.log.info("Event accepted", { event: event.id, repository: event.repository, runs: runs.length });
    }
    for (const run of runs) {
      this.driver.notify(run.id);
      if (run.concurrencyGroup !== null) await this.driver.advanceGroup(run.repository, run.concurrencyGroup);
      await this.driver.advance(run.id);
    }
    return runs.map((run) => String(run.id));
  }

  /** Takes up every run that an earlier process left. To be called once, when `services` can say where they are. */
  async resume(): Promise<void> {
    await this.driver.resume();
  }

  /** Newest first. */
  async listRuns(filter: RunFilter = {}): Promise<readonly RunView[]> {
    let query = this.#parts.db.selectFrom("workflows_runs").selectAll().orderBy("id", "desc");
    if (filter.repository !== undefined) query = query.where("repository", "=", filter.repository);
    if (filter.sha !== undefined) query = query.where("sha", "=", filter.sha);
    if (filter.ref !== undefined) query = query.where("ref", "=", filter.ref);
    if (filter.event !== undefined) query = query.where("event_name", "=", filter.event);
    if (filter.workflow !== undefined) query = query.where("path", "=", filter.workflow);
    if (filter.status !== undefined) query = query.where("status", "=", filter.status);
    if (filter.before !== undefined) query = query.where("id", "<", numberOf(filter.before));
    const rows = await query.limit(Math.min(Math.max(filter.limit ?? 50, 1), 200)).execute();
    return rows.map(runView);
  }

  async getRun(runId: string): Promise<RunDetails | undefined> {
    const run = await findRun(this.#parts.db, numberOf(runId));
    if (run === undefined) return undefined;
    const rows = await findJobs(this.#parts.db, run);
    const order = workflowOf(run)?.jobs.map((job) => job.key) ?? [];
    rows.sort((a, b) => order.indexOf(a.key) - order.indexOf(b.key) || a.position - b.position);
    return { ...runView(run), jobs: await Promise.all(rows.map((row) => this.#jobView(run, row))) };
  }

  async getJob(jobId: string): Promise<JobView | undefined> {
    const job = await findJob(this.#parts.db, numberOf(jobId));
    const run = job === undefined ? undefined : await findRun(this.#parts.db, job.run_id);
    return job === undefined || run === undefined ? undefined : await this.#jobView(run, job);
  }

  async #jobView(run: RunRow, job: JobRow): Promise<JobView> {
    const view = jobView(job, workflowOf(run), await findSteps(this.#parts.db, job));
    const message = view.status === "queued" ? this.desk.roster.obstacle(view.labels) : undefined;
    return message === undefined ? view : { ...view, message };
  }

  /** Runners that are connected. */
  runners(): readonly RunnerView[] {
    return this.desk.roster.present();
  }

  /** Asks for the end of a run: what waits ends now, what runs is told to stop. A completed run stays as it is. */
  async cancel(runId: string): Promise<void> {
    const id = numberOf(runId);
    const { db, clock } = this.#parts;
    const run = await findRun(db, id);
    if (run === undefined) throw new WorkflowsError("workflows/not-found", `There is no run ${runId}`);
    if (run.status === "completed") return;
    await db.transaction().execute(async (tx) => {
      await endPending(tx, id, clock.now().epochMilliseconds);
      await tx
        .updateTable("workflows_runs")
        .set({ cancel_requested: 1 })
        .where("id", "=", id)
        .where("status", "!=", "completed")
        .execute();
    });
    this.driver.notify(id);
    await this.driver.advance(id);
  }

  /** Starts a new attempt of a completed run. */
  async rerun(runId: string, options: RerunOptions): Promise<void> {
    const run = await rerun(this.#parts, numberOf(runId), options);
    this.driver.notify(run.id);
    if (run.concurrency_group !== null) await this.driver.advanceGroup(run.repository, run.concurrency_group);
    await this.driver.advance(run.id);
  }

  /** Changes from this call on; a reader that falls far behind gets `ChannelOverflowError` and reads the state again. */
  subscribe(signal: AbortSignal): AsyncIterableIterator<RunNotice> & Disposable {
    return this.#parts.notices.subscribe(signal);
  }

  logs(jobId: string, options: LogOptions): AsyncGenerator<LogEntryView> {
    return readLog(this.#parts, this.driver, numberOf(jobId), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.driver[Symbol.dispose]();
    await this.#parts.tasks[Symbol.asyncDispose]();
    this.#parts.notices.close();
  }
}

/** Ids are numbers; anything else names nothing. */
function numberOf(id: string): number {
  return /^[1-9]\d{0,14}$/.test(id) ? Number(id) : 0;
}
