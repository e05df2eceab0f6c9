const prefix = "run/";

/** The name of the identity of all jobs of a run: what counts is that it is a job. */
export function jobName(runId: string): string {
  return `${prefix}${runId}`;
}

/** Whether the name is that of a job's token; no other identity may have one like it. */
export function isJobName(name: string): boolean {
  return name.startsWith(prefix);
}
