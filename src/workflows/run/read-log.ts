/** The log of a job as a stream, with what is still to come if asked. */
import type { StepState } from "../protocol.ts";
import { logStart } from "./log-store.ts";
import type { RunParts } from "./parts.ts";
import type { RunDriver } from "./run-driver.ts";
import { findJob } from "./run-store.ts";
import type { JobRow, WorkflowsDatabase } from "./schema.ts";
import type { LogEntryView } from "./view.ts";

export interface LogOptions {
  /** Only this step; absent: all steps in order. */
  readonly step?: number;
  /** Line to begin with, in the first step that is read. */
  readonly fromLine?: number;
  /** Go on until the job has ended. */
  readonly follow?: boolean;
  readonly signal: AbortSignal;
}

/** Steps as last reported for the current try of a job. */
export async function findSteps(db: WorkflowsDatabase, job: JobRow): Promise<readonly StepState[]> {
  const row = await db
    .selectFrom("workflows_steps")
    .select("steps_json")
    .where("job_id", "=", job.source_job_id ?? job.id)
    .where("try", "=", Math.max(1, job.tries))
    .executeTakeFirst();
  return row === undefined ? [] : (JSON.parse(row.steps_json) as StepState[]);
}

/** Lines as they are kept. Ends quietly when the signal aborts; an unknown job has no lines. */
export async function* readLog(
  parts: RunParts,
  driver: RunDriver,
  jobId: number,
  options: LogOptions,
): AsyncGenerator<LogEntryView> {
  const { follow = false } = options;
  const signal = AbortSignal.any([options.signal, parts.tasks.signal]);
  using changed = driver.jobWake(jobId);
  let reader: StepReader | undefined;
  while (!signal.aborted) {
    // Looked at before the lines are read: what is written in between is read all the same.
    const job = await findJob(parts.db, jobId);
    if (job === undefined) return;
    const steps = await findSteps(parts.db, job);
    const ended = !follow || job.status === "completed";
    reader = reader?.attempt === job.tries ? reader : new StepReader(parts, job, options, (reader?.attempt ?? 0) > 0);
    yield* reader.read(steps, ended, options.step, signal);
    if (ended || signal.aborted) return;
    if (reader.pastStep(options.step)) return;
    try {
      await changed.wake.wait(signal);
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
  }
}

/** Goes through the steps of one try, remembering how far it came. */
class StepReader {
  readonly attempt: number;
  readonly #parts: RunParts;
  readonly #jobId: number;
  #step: number;
  #position = logStart;
  #skip: number;

  /** @param again whether an earlier try has been read: this one is then read from its first line */
  constructor(parts: RunParts, job: JobRow, from: Pick<LogOptions, "step" | "fromLine">, again: boolean) {
    this.#parts = parts;
    this.#jobId = job.source_job_id ?? job.id;
    this.attempt = job.tries;
    this.#step = from.step ?? 1;
    this.#skip = again ? 0 : (from.fromLine ?? 0);
  }

  pastStep(only: number | undefined): boolean {
    return only !== undefined && this.#step > only;
  }

  async *read(
    steps: readonly StepState[],
    ended: boolean,
    only: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<LogEntryView> {
    const logged = await this.#parts.logs.steps(this.#jobId, Math.max(1, this.attempt));
    const last = only ?? Math.max(0, ...logged, ...steps.map((step) => step.number));
    while (this.#step <= last) {
      yield* this.#readStep(signal);
      const state = steps.find((step) => step.number === this.#step);
      if (!ended && !isWhole(state, this.#position.lines)) return;
      this.#step += 1;
      this.#position = logStart;
      this.#skip = 0;
    }
  }

  async *#readStep(signal: AbortSignal): AsyncGenerator<LogEntryView> {
    const key = { jobId: this.#jobId, try: Math.max(1, this.attempt), step: this.#step };
    try {
      for await (const { time, text, next } of this.#parts.logs.read(key, this.#position, signal)) {
        const line = this.#position.lines;
        this.#position = next;
        if (line >= this.#skip) yield { step: this.#step, line, time, text };
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** Whether no more lines of the step are to come. */
function isWhole(state: StepState | undefined, lines: number): boolean {
  return state?.status === "completed" && lines >= (state.logLines ?? 0);
}
