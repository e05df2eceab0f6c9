/**
 * The job as a step in the background sees it: as it was when the step began. What the step sets is kept here until a
 * step waits for it, so that what steps see does not depend on who is faster.
 */
import type { Annotation } from "#workflows";
import { Job, type JobStatus } from "./job.ts";

export class BackgroundJob extends Job {
  readonly #job: Job;
  readonly #before: ReadonlyMap<string, string>;
  readonly #added: string[] = [];

  constructor(job: Job) {
    super(job.parts, job.shared);
    this.#job = job;
    for (const [name, value] of job.env) this.env.set(name, value);
    this.#before = new Map(job.env);
    super.addPaths(job.paths);
  }

  override get status(): JobStatus {
    return this.#job.status;
  }

  /** Whether its failure is the job's is decided when it is waited for. */
  override markFailed(): void {}

  override addPaths(paths: readonly string[]): void {
    this.#added.push(...paths);
    super.addPaths(paths);
  }

  override annotate(annotation: Annotation): void {
    this.#job.annotate(annotation);
  }

  override addSummary(markdown: string): void {
    this.#job.addSummary(markdown);
  }

  /** Hands over what the step has set. */
  flush(): void {
    for (const [name, value] of this.env) {
      if (this.#before.get(name) !== value) this.#job.env.set(name, value);
    }
    this.#job.addPaths(this.#added);
  }
}
