/** Which job a reader wants to see first. Pure. */
import type { JobDetail } from "#api";

type Choosable = Pick<JobDetail, "id" | "key" | "status" | "conclusion">;

/** The one asked for by id or key; else the first that failed; else one that runs; else the first. */
export function chosenJob<T extends Choosable>(jobs: readonly T[], asked: string | undefined): T | undefined {
  return (
    jobs.find(({ id }) => id === asked) ??
    jobs.find(({ key }) => key === asked) ??
    jobs.find(({ conclusion }) => conclusion === "failure") ??
    jobs.find(({ status }) => status === "in_progress") ??
    jobs[0]
  );
}
