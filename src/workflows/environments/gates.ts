/** Gates as rows: jobs come to them by the plan of their run, and are looked at again when a timer of theirs ends. */
import { errorMessage } from "#lib";
import {
  judgeGate,
  nextJudgement,
  waitText,
  type EnvironmentRules,
  type Gate,
  type GateFacts,
  type Passage,
} from "../plan/environment-gate.ts";
import type { EnvironmentRequest } from "../plan/job-state.ts";
import type { RunParts } from "../run/parts.ts";
import type { RunRow, WorkflowsDatabase } from "../run/schema.ts";
import { environmentKey, ensureEnvironment, gateFacts } from "./environment-rows.ts";

/** The job stands at the gate from now on. The environment comes into being with its first job. */
export async function openGate(
  tx: WorkflowsDatabase,
  run: RunRow,
  jobId: number,
  environment: EnvironmentRequest,
  nowMs: number,
): Promise<void> {
  const { repository } = run;
  const { name } = environment;
  await ensureEnvironment(tx, repository, name, run.triggering_actor, nowMs);
  await tx
    .insertInto("workflows_gates")
    .values({ job_id: jobId, run_id: run.id, repository, environment: name, opened_at: nowMs, review_id: null })
    .onConflict((conflict) => conflict.column("job_id").doNothing())
    .execute();
  if (!environment.deployment) return;
  await tx
    .insertInto("workflows_deployments")
    .values({
      repository,
      environment: name,
      environment_key: environmentKey(name),
      ref: run.ref,
      sha: run.sha,
      task: "deploy",
      description: "",
      payload_json: "{}",
      transient: 0,
      production: environmentKey(name) === "production" ? 1 : 0,
      creator: run.triggering_actor,
      run_id: run.id,
      job_id: jobId,
      state: "pending",
      environment_url: null,
      settled: 0,
      // What a job does starts no run.
      told: 1,
      created_at: nowMs,
      updated_at: nowMs,
    })
    .onConflict((conflict) => conflict.column("job_id").doNothing())
    .execute();
}

/** By job. */
export async function findGates(db: WorkflowsDatabase, runId: number): Promise<ReadonlyMap<number, Gate>> {
  const rows = await db
    .selectFrom("workflows_gates as gate")
    .leftJoin("workflows_reviews as review", "review.id", "gate.review_id")
    .select(["gate.job_id", "gate.environment", "gate.opened_at"])
    .select(["review.state", "review.actor", "review.comment", "review.forced"])
    .where("gate.run_id", "=", runId)
    .execute();
  return new Map(
    rows.map(({ job_id, environment, opened_at, state, actor, comment, forced }) => {
      const review =
        state === null ? {} : { review: { state, actor: actor ?? "", comment: comment ?? "", forced: forced === 1 } };
      return [job_id, { environment, openedMs: opened_at, ...review }];
    }),
  );
}

export interface WaitingJob {
  readonly jobId: number;
  readonly name: string;
  readonly gate: Gate;
  readonly rules: EnvironmentRules;
  readonly passage: Extract<Passage, { kind: "wait" }>;
}

/** The jobs of a run that wait at a gate now. */
export async function waitingJobs(
  db: WorkflowsDatabase,
  run: Pick<RunRow, "id" | "attempt">,
  facts: GateFacts,
): Promise<readonly WaitingJob[]> {
  const gates = await findGates(db, run.id);
  if (gates.size === 0) return [];
  const jobs = await db
    .selectFrom("workflows_jobs")
    .select(["id", "name"])
    .where("run_id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .where("status", "=", "waiting")
    .orderBy("id")
    .execute();
  return jobs.flatMap(({ id, name }) => {
    const gate = gates.get(id);
    const rules = gate === undefined ? undefined : facts.rules.get(environmentKey(gate.environment));
    if (gate === undefined || rules === undefined) return [];
    const passage = judgeGate(gate, facts);
    return passage.kind === "wait" ? [{ jobId: id, name, gate, rules, passage }] : [];
  });
}

export interface Hold {
  readonly message: string;
  /** Of a run: nothing else of it goes on meanwhile. Of a job: always. */
  readonly held: boolean;
}

/** Why a run, or a job of it, waits at a gate; undefined when it does not. */
export async function gateHold(parts: RunParts, run: RunRow, jobId?: number): Promise<Hold | undefined> {
  if (run.status === "completed") return undefined;
  const waits = await parts.db
    .selectFrom("workflows_gates as gate")
    .innerJoin("workflows_jobs as job", "job.id", "gate.job_id")
    .select("gate.job_id")
    .where("gate.run_id", "=", run.id)
    .where("job.status", "=", "waiting")
    .limit(1)
    .executeTakeFirst();
  if (waits === undefined) return undefined;
  const { clock, tasks } = parts;
  const facts = await gateFacts(parts, run, clock.now().epochMilliseconds, tasks.signal);
  const jobs = (await waitingJobs(parts.db, run, facts)).filter((job) => jobId === undefined || job.jobId === jobId);
  const texts = new Set(jobs.map(({ rules, passage }) => waitText(rules, passage)));
  if (texts.size === 0) return undefined;
  return { message: [...texts].join(". "), held: jobId !== undefined || !(await goesOn(parts.db, run)) };
}

/** Whether a runner has a job of the run, or is to have one. */
async function goesOn(db: WorkflowsDatabase, run: RunRow): Promise<boolean> {
  const busy = await db
    .selectFrom("workflows_jobs")
    .select("id")
    .where("run_id", "=", run.id)
    .where("attempt", "=", run.attempt)
    .where((eb) =>
      eb.or([eb("status", "=", "queued"), eb.and([eb("status", "=", "in_progress"), eb("lease", "is not", null)])]),
    )
    .limit(1)
    .executeTakeFirst();
  return busy !== undefined;
}

/** Clocks are set and machines sleep: never longer than this without looking. */
const maxSleepMs = 60_000;

/** Goes on with runs whose timers end, for ever. Their times follow from rows, so nothing is lost by a restart. */
export async function runGates(
  parts: RunParts,
  advance: (runId: number) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    let nextMs = Infinity;
    try {
      nextMs = await advanceRipe(parts, advance, signal);
    } catch (error) {
      if (signal.aborted) return;
      parts.log.error("Cannot look at the jobs that wait for their environments", { error });
    }
    await untilMs(parts, nextMs, signal);
  }
}

/** When the next gate is to be looked at. */
async function advanceRipe(
  parts: RunParts,
  advance: (runId: number) => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  const { db, clock, log } = parts;
  let nextMs = Infinity;
  for (const run of await runsAtGates(db)) {
    const facts = await gateFacts(parts, run, clock.now().epochMilliseconds, signal);
    const gates = await waitingGates(db, run.id);
    const passages = gates.map((gate) => judgeGate(gate, facts));
    for (const passage of passages) if (passage.kind === "wait") nextMs = Math.min(nextMs, nextJudgement(passage));
    if (passages.every(({ kind }) => kind === "wait")) continue;
    try {
      await advance(run.id);
    } catch (error) {
      // One run that cannot go on must not hold up the others.
      log.error("Cannot go on with a run whose environment lets it", { run: run.id, error: errorMessage(error) });
    }
  }
  return nextMs;
}

async function waitingGates(db: WorkflowsDatabase, runId: number): Promise<readonly Gate[]> {
  const gates = await findGates(db, runId);
  const waiting = await db
    .selectFrom("workflows_jobs")
    .select("id")
    .where("run_id", "=", runId)
    .where("status", "=", "waiting")
    .execute();
  return waiting.flatMap(({ id }) => gates.get(id) ?? []);
}

async function runsAtGates(db: WorkflowsDatabase): Promise<readonly Pick<RunRow, "id" | "repository" | "ref">[]> {
  return await db
    .selectFrom("workflows_runs as run")
    .select(["run.id", "run.repository", "run.ref"])
    .where("run.status", "!=", "completed")
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("workflows_gates as gate")
          .innerJoin("workflows_jobs as job", "job.id", "gate.job_id")
          .select("gate.job_id")
          .whereRef("gate.run_id", "=", "run.id")
          .where("job.status", "=", "waiting"),
      ),
    )
    .orderBy("run.id")
    .execute();
}

async function untilMs(parts: RunParts, nextMs: number, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    const changed = parts.gates.wait(either);
    if (nextMs === Infinity) await changed;
    else {
      const ms = Math.min(Math.max(nextMs - parts.clock.now().epochMilliseconds, 0) + 1, maxSleepMs);
      await Promise.race([changed, parts.clock.sleep(ms, either)]);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    over.abort();
  }
}
