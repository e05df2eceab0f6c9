/** What happens in a run, in the order in which somebody who watches wants to be told. */
import { Wake } from "#lib";
import type { JobView, RunDetails, StepView, Workflows } from "#workflows";

export type LocalEvent =
  | { readonly kind: "run-started"; readonly run: RunDetails }
  | { readonly kind: "job-started"; readonly job: JobView }
  | { readonly kind: "step-started"; readonly job: JobView; readonly step: StepView }
  | {
      readonly kind: "line";
      readonly job: JobView;
      readonly step: StepView;
      readonly time: string;
      readonly text: string;
    }
  | { readonly kind: "step-ended"; readonly job: JobView; readonly step: StepView }
  | { readonly kind: "job-ended"; readonly job: JobView }
  | { readonly kind: "run-ended"; readonly run: RunDetails };

export type OnLocalEvent = (event: LocalEvent) => void;

/** Until the run has completed and all of it was told. */
export async function followRun(
  workflows: Workflows,
  runId: string,
  onEvent: OnLocalEvent,
  signal: AbortSignal,
): Promise<RunDetails> {
  const changed = new Wake();
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const listening = listen(workflows, runId, changed, until);
  const followed = new Map<string, Promise<void>>();
  try {
    onEvent({ kind: "run-started", run: await detailsOf(workflows, runId) });
    for (;;) {
      const run = await detailsOf(workflows, runId);
      for (const job of run.jobs) {
        if (followed.has(job.id) || job.status === "waiting" || job.status === "queued" || !isTold(job)) continue;
        followed.set(job.id, followJob(workflows, job.id, onEvent, signal));
      }
      if (run.status === "completed") {
        await Promise.all(followed.values());
        onEvent({ kind: "run-ended", run });
        return run;
      }
      await changed.wait(signal);
    }
  } finally {
    over.abort();
    await listening;
  }
}

/** Placeholders of a matrix and jobs that call workflows have nothing to tell while they run. */
function isTold(job: JobView): boolean {
  return job.uses === undefined || job.status === "completed";
}

async function listen(workflows: Workflows, runId: string, changed: Wake, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    using notices = workflows.subscribe(signal);
    changed.notify();
    try {
      for await (const notice of notices) if (notice.runId === runId && notice.kind !== "log") changed.notify();
    } catch {
      // We fell behind: the state is read again, and the notices from here on.
    }
  }
}

async function detailsOf(workflows: Workflows, runId: string): Promise<RunDetails> {
  const run = await workflows.getRun(runId);
  if (run === undefined) throw new Error(`Run ${runId} is gone`);
  return run;
}

async function followJob(
  workflows: Workflows,
  jobId: string,
  onEvent: OnLocalEvent,
  signal: AbortSignal,
): Promise<void> {
  const teller = new JobTeller(onEvent, async () => await workflows.getJob(jobId));
  await teller.start();
  for await (const { step, time, text } of workflows.logs(jobId, { follow: true, signal })) {
    await teller.line(step, time, text);
  }
  signal.throwIfAborted();
  await teller.end();
}

/** Tells the steps of a job around their lines: those that log nothing when the next one does, or at the end. */
class JobTeller {
  readonly #onEvent: OnLocalEvent;
  readonly #read: () => Promise<JobView | undefined>;
  #job: JobView | undefined;
  /** Number of the step that was told last. */
  #started = 0;
  #ended = 0;

  constructor(onEvent: OnLocalEvent, read: () => Promise<JobView | undefined>) {
    this.#onEvent = onEvent;
    this.#read = read;
  }

  async start(): Promise<void> {
    const job = await this.#refresh();
    this.#onEvent({ kind: "job-started", job });
  }

  async line(number: number, time: string, text: string): Promise<void> {
    if (number !== this.#started) {
      await this.#refresh();
      this.#tellUntil(number);
    }
    const job = this.#current();
    const step = job.steps.find((one) => one.number === number) ?? unknownStep(number);
    this.#onEvent({ kind: "line", job, step, time, text });
  }

  async end(): Promise<void> {
    const job = await this.#refresh();
    this.#tellUntil(job.steps.length + 1);
    this.#onEvent({ kind: "job-ended", job });
  }

  /** All that ended before the step, and that it has started. */
  #tellUntil(number: number): void {
    const job = this.#current();
    for (const step of job.steps) {
      if (step.number < number) {
        this.#tellStart(job, step);
        this.#tellEnd(job, step);
      } else if (step.number === number) this.#tellStart(job, step);
    }
    this.#started = Math.max(this.#started, number);
  }

  #tellStart(job: JobView, step: StepView): void {
    if (step.number <= this.#started) return;
    this.#started = step.number;
    this.#onEvent({ kind: "step-started", job, step });
  }

  #tellEnd(job: JobView, step: StepView): void {
    if (step.number <= this.#ended || step.status !== "completed") return;
    this.#ended = step.number;
    this.#onEvent({ kind: "step-ended", job, step });
  }

  #current(): JobView {
    if (this.#job === undefined) throw new Error("A job is told before it was read");
    return this.#job;
  }

  async #refresh(): Promise<JobView> {
    this.#job = (await this.#read()) ?? this.#job;
    return this.#current();
  }
}

/** A line can come before control was told of its step. */
function unknownStep(number: number): StepView {
  return { number, name: `Step ${number}`, status: "in_progress" };
}
