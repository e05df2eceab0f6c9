/** The durable state of all runs, and all that can be done with them. */
import { join } from "node:path";
import type { RunnerSummary } from "#api";
import {
  Channel,
  formatProblem,
  hasErrors,
  TaskGroup,
  Wake,
  type Clock,
  type Database,
  type Ids,
  type Log,
  type Problem,
} from "#lib";
import { WorkflowsError } from "../errors.ts";
import type { JobTokenPort, ReviewPort, ServicesPort, VariablesPort, WorkflowSourcePort } from "../ports.ts";
import { ActionDesk } from "../actions/action-desk.ts";
import { Actions } from "../actions/actions.ts";
import { findJobActions } from "../actions/job-actions.ts";
import { noActionSources, type ActionSourcePort } from "../actions/ports.ts";
import { ActionResolver, type RuleTexts } from "../actions/resolver.ts";
import { RuleBook } from "../actions/rule-book.ts";
import { Deployments } from "../environments/deployments.ts";
import { Environments } from "../environments/environments.ts";
import { gateHold, runGates } from "../environments/gates.ts";
import { Reviews } from "../environments/reviews.ts";
import { linkCalls } from "../parse/link-calls.ts";
import { effectiveFiles, type WorkflowText } from "../parse/workflow-file.ts";
import { WorkflowReader } from "../parse/workflow-reader.ts";
import { comparePlaces, filePlace, prefixOf } from "../plan/job-path.ts";
import type { JobInstance } from "../plan/job-state.ts";
import { callLoader, type AcceptOptions } from "./accept-event.ts";
import { EventDoor } from "./event-door.ts";
import type { WorkflowEvent } from "./event.ts";
import { Listeners, runFollowUps } from "./follow-ups.ts";
import { listSchedules, listWorkflows } from "./list-workflows.ts";
import { LogStore } from "./log-store.ts";
import type { RunParts } from "./parts.ts";
import { findSteps, readLog, type LogOptions } from "./read-log.ts";
import { runRemarks } from "./remarks.ts";
import { rerun, type RerunOptions } from "./rerun.ts";
import { defaultRetention, runRetention, type RetentionPolicy } from "./retention.ts";
import { RunDriver } from "./run-driver.ts";
import { endPending } from "./run-groups.ts";
import { findAttempt, findJob, findJobs, findRun, numberOf, pullHeadOf, workflowOf } from "./run-store.ts";
import { listRunners } from "../runners/list-runners.ts";
import { RegisteredRunners } from "../runners/registered-runners.ts";
import { RunnerDesk } from "./runner-desk.ts";
import { runSchedules } from "./schedules.ts";
import { mayCall, shareWorkflows, switchWorkflow, type ShareRequest, type SwitchRequest } from "./switches.ts";
import { waitReason } from "./wait-reason.ts";
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
  type ScheduledWorkflowView,
  type WorkflowView,
} from "./view.ts";

export interface WorkflowsOptions {
  readonly database: Database;
  /** Data folder; logs go to `logs/` in it. */
  readonly folder: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly source: WorkflowSourcePort;
  /** Where actions come from that are not built in; default: from nowhere. */
  readonly actions?: ActionSourcePort;
  readonly tokens: JobTokenPort;
  readonly variables: VariablesPort;
  readonly services: ServicesPort;
  /** Default: nothing is to be said. */
  readonly review?: ReviewPort;
  /** How long a runner may be silent before its job counts as lost; default 30 seconds. */
  readonly leaseMs?: number;
  /** How long runs are kept, and how many of each workflow; default 90 days and 400. */
  readonly retention?: RetentionPolicy;
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
  const actionSource = options.actions ?? noActionSources;
  const resolver = new ActionResolver({
    source: actionSource,
    mayRead: (from, repository) => mayCall(db, from, repository),
    ownHosts: () => [services.base.serverUrl, services.base.apiUrl].map((url) => new URL(url).host),
  });
  const parts: RunParts = {
    db,
    clock,
    ids,
    log,
    source,
    actions: { source: actionSource, resolver, rules: new RuleBook(actionSource, resolver) },
    tokens,
    variables,
    services,
    notices: new Channel<RunNotice>(),
    logs: new LogStore(join(options.folder, "logs")),
    tasks: new TaskGroup((error, name) => log.error("Background work of workflows failed", { error, task: name })),
    reader: new WorkflowReader(clock),
    review: options.review ?? (() => Promise.resolve([])),
    listeners: new Listeners(),
    followUps: new Wake(),
    remarks: new Wake(),
    gates: new Wake(),
    schedules: new Wake(),
    leaseMs: options.leaseMs ?? 30_000,
  };
  return new Workflows(parts, options.retention ?? defaultRetention);
}

export class Workflows implements AsyncDisposable {
  readonly #parts: RunParts;
  readonly #retention: RetentionPolicy;
  readonly #door: EventDoor;
  /** For this room only. */
  readonly driver: RunDriver;
  /** For the protocol's routes. */
  readonly desk: RunnerDesk;
  readonly actions: Actions;
  /** Runners on other machines. */
  readonly registered: RegisteredRunners;
  /** For the protocol's routes. */
  readonly actionDesk: ActionDesk;
  readonly environments: Environments;
  readonly reviews: Reviews;
  readonly deployments: Deployments;

  constructor(parts: RunParts, retention: RetentionPolicy) {
    this.#parts = parts;
    this.#retention = retention;
    this.driver = new RunDriver(parts);
    this.#door = new EventDoor(parts, this.driver);
    this.desk = new RunnerDesk(parts, this.driver);
    this.registered = new RegisteredRunners(parts);
    this.actions = new Actions(parts.actions);
    this.actionDesk = new ActionDesk(parts, (jobId, lease) => this.desk.held(jobId, lease));
    this.environments = new Environments(parts, this.driver);
    this.reviews = new Reviews(parts, this.driver);
    this.deployments = new Deployments(parts, (event, signal) => this.accept(event, { signal }));
  }

  /**
   * Starts the runs of an event and returns their ids. After it returns, they survive anything; before, the same event
   * may be told again: it starts them once. Throws `WorkflowsError` for a dispatch that cannot be.
   */
  async accept(event: WorkflowEvent, options: AcceptOptions): Promise<readonly string[]> {
    return await this.#door.accept(event, options);
  }

  /**
   * What is wrong with the workflow files among these, calls included, as they are to be in the repository at the
   * commit: for the answer to a push.
   */
  async check(
    repository: string,
    sha: string,
    files: readonly WorkflowText[],
    options: { readonly signal: AbortSignal; readonly rules?: RuleTexts },
  ): Promise<readonly Problem[]> {
    const { reader } = this.#parts;
    const { rules } = options;
    const told = { repository, sha, ...(rules === undefined ? {} : { rules }) };
    const load = callLoader(this.#parts, told, files, options.signal);
    const origin = { repository, ref: sha, sha };
    const found = await Promise.all(
      effectiveFiles(files).map(async ({ path, text }) => {
        const { value, problems } = await reader.read(path, text);
        if (value === undefined || hasErrors(problems)) return problems;
        const linked = await linkCalls(value, { origin, load, read: (p, t) => reader.read(p, t) });
        return [...problems, ...linked.problems];
      }),
    );
    return uniqueProblems(found.flat());
  }

  /**
   * Takes up every run that an earlier process left, and what was to be told; schedules begin to run. To be called once,
   * when `services` can say where they are.
   */
  async resume(): Promise<void> {
    const accept = async (event: WorkflowEvent, signal: AbortSignal): Promise<void> => {
      await this.accept(event, { signal });
    };
    await this.driver.resume();
    this.#parts.tasks.start("follow-ups of runs", (signal) => runFollowUps(this.#parts, accept, signal));
    this.#parts.tasks.start("remarks", (signal) => runRemarks(this.#parts, (id) => this.driver.notify(id), signal));
    this.#parts.tasks.start("retention", (signal) => runRetention(this.#parts, this.#retention, signal));
    this.#parts.tasks.start("gates", (signal) => runGates(this.#parts, (id) => this.driver.advance(id), signal));
    this.#parts.tasks.start("deployments", (signal) => this.deployments.tell(signal));
    this.#parts.tasks.start("schedules", (signal) => runSchedules(this.#parts, accept, signal));
  }

  /** The workflows of the default branch, by name. */
  async listWorkflows(repository: string, options: { readonly signal: AbortSignal }): Promise<readonly WorkflowView[]> {
    return await listWorkflows(this.#parts, repository, options.signal);
  }

  /** All schedules of enabled workflows, the next one first. */
  async listSchedules(): Promise<readonly ScheduledWorkflowView[]> {
    return await listSchedules(this.#parts);
  }

  /** Lets events start a workflow, or keeps them from it. Throws `WorkflowsError` when there is no such file. */
  async switchWorkflow(
    request: Omit<SwitchRequest, "nowMs">,
    options: { readonly signal: AbortSignal },
  ): Promise<void> {
    const { repository, path: asked } = request;
    const known = await this.listWorkflows(repository, options);
    const found = known.find((one) => one.path === asked || one.path.endsWith(`/${asked}`));
    if (found === undefined) {
      const names = known.map((one) => one.path).join(", ") || "none";
      const message = `There is no workflow "${asked}" on the default branch of "${repository}". Workflows are ${names}`;
      throw new WorkflowsError("workflows/not-found", message);
    }
    const nowMs = this.#parts.clock.now().epochMilliseconds;
    await switchWorkflow(this.#parts.db, { ...request, path: found.path, nowMs });
  }

  /** Lets the workflows of other owners call those of the repository, or no longer. */
  async shareWorkflows(request: Omit<ShareRequest, "nowMs">): Promise<void> {
    await shareWorkflows(this.#parts.db, { ...request, nowMs: this.#parts.clock.now().epochMilliseconds });
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
    return await Promise.all(rows.map((row) => this.#runView(row)));
  }

  async #runView(row: RunRow): Promise<RunView> {
    const view = runView(row);
    if (row.status !== "pending") return { ...view, ...(await gateHold(this.#parts, row)) };
    const message = await waitReason(this.#parts.db, row.id, null);
    return message === undefined ? view : { ...view, message };
  }

  /** Without its jobs: of a run with many these are most of the work. */
  async getRunView(runId: string): Promise<RunView | undefined> {
    const run = await findRun(this.#parts.db, numberOf(runId));
    return run === undefined ? undefined : await this.#runView(run);
  }

  /** @param attempt whose jobs to give; absent: the newest */
  async getRun(runId: string, attempt?: number): Promise<RunDetails | undefined> {
    const run = await findAttempt(this.#parts.db, numberOf(runId), attempt);
    if (run === undefined) return undefined;
    const rows = await findJobs(this.#parts.db, run);
    const workflow = workflowOf(run);
    const places = new Map(rows.map((row) => [row.id, filePlace(workflow, row.key, row.position)]));
    rows.sort((a, b) => comparePlaces(places.get(a.id) ?? [], places.get(b.id) ?? []));
    const jobs = await Promise.all(rows.map((row) => this.#jobView(run, row, workflow)));
    return { ...(await this.#runView(run)), jobs: rows.map((row, index) => withParent(jobs[index], row, rows)) };
  }

  /** The head of the pull request that a run is for. */
  async pullHead(runId: string): Promise<string | undefined> {
    return await pullHeadOf(this.#parts.db, numberOf(runId));
  }

  /** Whether the job is with a runner now: what its tokens are good for ends with it. */
  async isRunning(jobId: string): Promise<boolean> {
    return /^\d+$/.test(jobId) && (await findJob(this.#parts.db, numberOf(jobId)))?.status === "in_progress";
  }

  async getJob(jobId: string): Promise<JobView | undefined> {
    const job = await findJob(this.#parts.db, numberOf(jobId));
    const run = job === undefined ? undefined : await findRun(this.#parts.db, job.run_id);
    return job === undefined || run === undefined ? undefined : await this.#jobView(run, job);
  }

  async #jobView(run: RunRow, job: JobRow, workflow = workflowOf(run)): Promise<JobView> {
    const { db } = this.#parts;
    const view = jobView(job, workflow, await findSteps(db, job), await findJobActions(db, job));
    const gated = job.status === "waiting" && job.instance_json !== null;
    const hold = gated ? await gateHold(this.#parts, run, job.id) : undefined;
    if (hold !== undefined) return { ...view, ...hold };
    const message = await this.#waitReason(job);
    return message === undefined ? view : { ...view, message };
  }

  async #waitReason(job: JobRow): Promise<string | undefined> {
    if (job.status === "waiting" && job.instance_json !== null) {
      return await waitReason(this.#parts.db, job.run_id, job.id);
    }
    if (job.status !== "queued" || job.instance_json === null) return undefined;
    const { labels, runnerGroup } = JSON.parse(job.instance_json) as JobInstance;
    const run = await findRun(this.#parts.db, job.run_id);
    const allowed = await this.desk.groups.allowing(run?.repository ?? "");
    return this.desk.roster.obstacle(labels, runnerGroup, allowed);
  }

  /** Runners that are connected. */
  runners(): readonly RunnerView[] {
    return this.desk.roster.present();
  }

  /** Those that are connected and those that are registered, with what they do. */
  async allRunners(): Promise<readonly RunnerSummary[]> {
    return await listRunners(this.#parts.db, this.registered, this.desk.roster);
  }

  /** Asks for the end of a run: what waits ends now, what runs is told to stop. A completed run stays as it is. */
  async cancel(runId: string): Promise<void> {
    const id = numberOf(runId);
    const { db, clock } = this.#parts;
    const run = await findRun(db, id);
    if (run === undefined) throw new WorkflowsError("workflows/not-found", `There is no run ${runId}`);
    if (run.status === "completed") return;
    await db.transaction().execute(async (tx) => {
      await endPending(tx, run, clock.now().epochMilliseconds);
      await tx
        .updateTable("workflows_runs")
        .set({ cancel_requested: 1 })
        .where("id", "=", id)
        .where("status", "!=", "completed")
        .execute();
    });
    this.driver.notify(id);
    this.#parts.followUps.notify();
    await this.driver.advance(id);
  }

  /** Starts a new attempt of a completed run. */
  async rerun(runId: string, options: RerunOptions): Promise<void> {
    const run = await rerun(this.#parts, numberOf(runId), options);
    this.driver.notify(run.id);
    this.#parts.followUps.notify();
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

/** A called file with several callers has its problems once. */
function uniqueProblems(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [formatProblem(problem), problem])).values()];
}

function withParent(view: JobView | undefined, row: JobRow, rows: readonly JobRow[]): JobView {
  if (view === undefined) throw new Error(`Job ${row.id} has no view`);
  const prefix = prefixOf(row.key);
  const parent = prefix === "" ? undefined : rows.find((one) => `${one.key}:${one.position}/` === prefix);
  return parent === undefined ? view : { ...view, parentId: String(parent.id) };
}
