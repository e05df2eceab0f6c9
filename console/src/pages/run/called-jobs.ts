/** Jobs of called workflows stand below the job that calls them. */
import type { JobDetail } from "#api";

type Placed = Pick<JobDetail, "id" | "name" | "parentId">;

function parentOf<Job extends Placed>(job: Placed, jobs: readonly Job[]): Job | undefined {
  return job.parentId === undefined ? undefined : jobs.find((one) => one.id === job.parentId);
}

/** How many calls lead to the job. */
export function depthOf(job: Placed, jobs: readonly Placed[]): number {
  const parent = parentOf(job, jobs);
  return parent === undefined ? 0 : 1 + depthOf(parent, jobs);
}

/** The name without that of its caller, below which it stands. */
export function ownName(job: Placed, jobs: readonly Placed[]): string {
  const above = `${parentOf(job, jobs)?.name ?? ""} / `;
  return job.name.startsWith(above) ? job.name.slice(above.length) : job.name;
}
