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

type Needing = Placed & Pick<JobDetail, "key" | "needs">;

/** The jobs after which the job is over: its own called ones that no other of them waits for, or itself. */
export function lastOf(job: Needing, jobs: readonly Needing[]): readonly string[] {
  const called = jobs.filter((one) => one.parentId === job.id);
  if (called.length === 0) return [job.id];
  const needed = new Set(called.flatMap((one) => one.needs));
  return called.filter((one) => !needed.has(one.key)).flatMap((one) => lastOf(one, jobs));
}
