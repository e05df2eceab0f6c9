/** Reviews let jobs deploy to their environments, or keep them from it. */
import type { Identity, PendingReview, RunReview } from "#api";
import { WorkflowsError } from "../errors.ts";
import { reviewRight, type GateFacts, type ReviewRight } from "../plan/environment-gate.ts";
import type { RunParts } from "../run/parts.ts";
import type { RunDriver } from "../run/run-driver.ts";
import { findRun } from "../run/run-store.ts";
import type { RunRow } from "../run/schema.ts";
import { timestamp } from "../run/view.ts";
import { environmentKey, findEnvironment, gateFacts, settingsOf } from "./environment-rows.ts";
import { waitingJobs, type WaitingJob } from "./gates.ts";
import type { ReviewRow } from "./schema.ts";

export interface ReviewRequest {
  readonly state: "approved" | "rejected";
  /** Absent: all that wait and that the reviewer may review. */
  readonly environments?: readonly string[];
  readonly comment: string;
  /** As an administrator: passes the rules over. */
  readonly force: boolean;
  readonly by: Identity;
}

const longestComment = 2000;

export class Reviews {
  readonly #parts: RunParts;
  readonly #driver: RunDriver;

  constructor(parts: RunParts, driver: RunDriver) {
    this.#parts = parts;
    this.#driver = driver;
  }

  /** What waits for a review or a timer, with what `who` may do about it. */
  async pending(runId: string, who: Identity): Promise<readonly PendingReview[]> {
    const run = await this.#run(runId);
    const groups = await this.#waiting(run);
    return await Promise.all([...groups.values()].map((jobs) => this.#pendingReview(run, jobs, who)));
  }

  /** Oldest first. */
  async list(runId: string): Promise<readonly RunReview[]> {
    const run = await this.#run(runId);
    const rows = await this.#parts.db
      .selectFrom("workflows_reviews")
      .selectAll()
      .where("run_id", "=", run.id)
      .orderBy("id")
      .execute();
    return rows.map(reviewView);
  }

  /**
   * Approves or rejects the jobs that wait, and returns what was given. Once it has returned it survives anything. Throws
   * `WorkflowsError` when nothing waits, or the reviewer may not.
   */
  async give(runId: string, request: ReviewRequest): Promise<readonly RunReview[]> {
    if (request.comment.length > longestComment) {
      const message = `The comment has ${request.comment.length} characters of ${longestComment} allowed`;
      throw new WorkflowsError("workflows/request-invalid", message);
    }
    const run = await this.#run(runId);
    const chosen = choose(run, await this.#waiting(run), request);
    const nowMs = this.#parts.clock.now().epochMilliseconds;
    const given = await this.#parts.db.transaction().execute(async (tx) => {
      const rows: ReviewRow[] = [];
      for (const jobs of chosen) rows.push(...(await insertReview(tx, run, jobs, request, nowMs)));
      return rows;
    });
    for (const { environment, state, actor, forced } of given) {
      this.#parts.log.info("Deployment reviewed", { run: run.id, environment, state, actor, forced: forced === 1 });
    }
    await this.#driver.advance(run.id);
    this.#parts.gates.notify();
    this.#driver.notify(run.id);
    return given.map(reviewView);
  }

  async #run(runId: string): Promise<RunRow> {
    const run = /^[1-9]\d{0,14}$/.test(runId) ? await findRun(this.#parts.db, Number(runId)) : undefined;
    if (run === undefined) throw new WorkflowsError("workflows/not-found", `There is no run ${runId}`);
    return run;
  }

  /** By environment. */
  async #waiting(run: RunRow): Promise<ReadonlyMap<string, readonly WaitingJob[]>> {
    if (run.status === "completed") return new Map();
    return Map.groupBy(await waitingJobs(this.#parts.db, run, await this.#facts(run)), ({ gate }) =>
      environmentKey(gate.environment),
    );
  }

  async #facts(run: RunRow): Promise<GateFacts> {
    const { clock, tasks } = this.#parts;
    return await gateFacts(this.#parts, run, clock.now().epochMilliseconds, tasks.signal);
  }

  async #pendingReview(run: RunRow, jobs: readonly WaitingJob[], who: Identity): Promise<PendingReview> {
    const [first] = jobs;
    const row =
      first === undefined ? undefined : await findEnvironment(this.#parts.db, run.repository, first.rules.name);
    if (first === undefined || row === undefined) {
      throw new WorkflowsError(
        "workflows/not-found",
        `An environment of run ${run.id} was deleted meanwhile: ask again`,
      );
    }
    const right = reviewRight(first.rules, run.triggering_actor, who);
    const { passage } = first;
    return {
      environment: { ...settingsOf(row), id: row.id, name: row.name },
      jobs: jobs.map(({ jobId, name }) => ({ id: String(jobId), name })),
      since: timestamp(Math.min(...jobs.map(({ gate }) => gate.openedMs))),
      review: jobs.some((job) => job.passage.review),
      ...(passage.timerEndsMs === undefined ? {} : { waitsUntil: timestamp(passage.timerEndsMs) }),
      expiresAt: timestamp(passage.expiresMs),
      mayReview: right.kind === "may" && jobs.some((job) => job.passage.review),
      mayForce: mayForce(right, first, who),
      ...(right.kind === "may" ? {} : { reason: right.reason }),
    };
  }
}

/** An administrator who reviews the environment may still end its timer. */
function mayForce(right: ReviewRight, { rules }: WaitingJob, who: Identity): boolean {
  return right.kind === "may" ? rules.adminsBypass && who.scopes.includes("admin") : right.force;
}

type Waiting = ReadonlyMap<string, readonly WaitingJob[]>;

/** The jobs the review is for, by environment. */
function choose(run: RunRow, waiting: Waiting, request: ReviewRequest): readonly (readonly WaitingJob[])[] {
  const { environments, state, force, by } = request;
  const action = `Cannot ${state === "approved" ? "approve" : "reject"} run ${run.id}`;
  const fail = (message: string, code: "workflows/not-possible-now" | "workflows/forbidden"): never => {
    throw new WorkflowsError(code, `${action}: ${message}`);
  };
  const names = [...waiting.values()].flatMap((jobs) => jobs[0]?.rules.name ?? []);
  for (const name of environments ?? []) {
    if (waiting.has(environmentKey(name))) continue;
    fail(
      `nothing of it waits for "${name}". What waits is for ${names.join(", ") || "nobody"}`,
      "workflows/not-possible-now",
    );
  }
  const asked = [...waiting.values()].filter(
    ([first]) =>
      environments === undefined ||
      environments.some((name) => environmentKey(name) === environmentKey(first?.rules.name ?? "")),
  );
  if (asked.length === 0) fail("no job of it waits for an environment", "workflows/not-possible-now");
  const judged = asked.map((jobs) => ({ jobs, obstacle: obstacle(run, jobs, force, by) }));
  const free = judged.filter((one) => one.obstacle === undefined);
  // Whoever names environments means each of them; else those count that are the reviewer's.
  const refused = judged.find((one) => one.obstacle !== undefined);
  if (refused?.obstacle !== undefined && (free.length === 0 || environments !== undefined)) {
    fail(refused.obstacle.message, refused.obstacle.code);
  }
  return free.map(({ jobs }) => jobs);
}

interface Obstacle {
  readonly code: "workflows/not-possible-now" | "workflows/forbidden";
  readonly message: string;
}

function obstacle(run: RunRow, jobs: readonly WaitingJob[], force: boolean, by: Identity): Obstacle | undefined {
  const [first] = jobs;
  if (first === undefined) return { code: "workflows/not-possible-now", message: "nothing waits" };
  const { rules } = first;
  const right = reviewRight(rules, run.triggering_actor, by);
  const may = mayForce(right, first, by);
  if (force) {
    if (may) return undefined;
    const reason = by.scopes.includes("admin")
      ? `"${rules.name}" does not let administrators pass its rules over`
      : "only an administrator may pass the rules over, and this token is none";
    return { code: "workflows/forbidden", message: reason };
  }
  const hint = may ? ". As an administrator you may pass the rules over: --force" : "";
  if (jobs.every((job) => !job.passage.review)) {
    const message = `nobody has to approve "${rules.name}" any more: its jobs wait for their timer${hint}`;
    return { code: "workflows/not-possible-now", message };
  }
  return right.kind === "may" ? undefined : { code: "workflows/forbidden", message: `${right.reason}${hint}` };
}

/** Empty when the jobs went on by themselves meanwhile. */
async function insertReview(
  tx: RunParts["db"],
  run: RunRow,
  jobs: readonly WaitingJob[],
  { state, comment, force, by }: ReviewRequest,
  nowMs: number,
): Promise<readonly ReviewRow[]> {
  let query = tx
    .selectFrom("workflows_jobs as job")
    .innerJoin("workflows_gates as gate", "gate.job_id", "job.id")
    .select(["job.id", "job.name"])
    .where("job.status", "=", "waiting");
  query = query.where(
    "job.id",
    "in",
    jobs.map(({ jobId }) => jobId),
  );
  // Of two reviews at once the first counts.
  if (!force) query = query.where("gate.review_id", "is", null);
  const still = await query.orderBy("job.id").execute();
  if (still.length === 0) return [];
  const values = {
    run_id: run.id,
    attempt: run.attempt,
    environment: jobs[0]?.rules.name ?? "",
    jobs_json: JSON.stringify(still.map(({ name }) => name)),
    state,
    actor: by.name,
    comment,
    forced: force ? 1 : 0,
    at: nowMs,
  };
  const { insertId } = await tx.insertInto("workflows_reviews").values(values).executeTakeFirstOrThrow();
  const id = Number(insertId);
  const passed = still.map((job) => job.id);
  await tx.updateTable("workflows_gates").set({ review_id: id }).where("job_id", "in", passed).execute();
  return [{ ...values, id }];
}

function reviewView(row: ReviewRow): RunReview {
  return {
    id: String(row.id),
    runId: String(row.run_id),
    attempt: row.attempt,
    environment: row.environment,
    jobs: JSON.parse(row.jobs_json) as string[],
    state: row.state,
    actor: row.actor,
    comment: row.comment,
    forced: row.forced === 1,
    at: timestamp(row.at),
  };
}
