/** Takes every job of a run and ends it well without doing anything: what a run would be. */
import type { JobAssignment, Workflows } from "#workflows";

export interface DryJob {
  readonly name: string;
  readonly key: string;
  /** As they are named in the file, or by what they do. */
  readonly steps: readonly string[];
}

/** Until the signal aborts. */
export async function runDry(
  workflows: Workflows,
  newId: () => string,
  onJob: (job: DryJob) => void,
  signal: AbortSignal,
): Promise<void> {
  const request = { runnerId: newId(), name: "dry run", labels: ["*"] };
  while (!signal.aborted) {
    const job = await workflows.desk.claim({ ...request, claimId: newId() }, signal);
    if (job === undefined) continue;
    onJob({ name: job.name, key: job.key, steps: job.steps.map(stepTitle) });
    const { lease } = job;
    const end = { lease, conclusion: "success", outputs: {}, annotations: [], summary: "", steps: [] } as const;
    await workflows.desk.complete(Number(job.jobId), end);
  }
}

function stepTitle({ name, uses, run, control }: JobAssignment["steps"][number]): string {
  if (name !== undefined) return name;
  return uses ?? (run === undefined ? (control?.kind ?? "step") : `Run ${run.trim().split("\n")[0] ?? ""}`);
}
