import { mkdir } from "node:fs/promises";
import { errorMessage } from "#lib";
import { StepFailure } from "../errors.ts";
import type { Job } from "../job/job.ts";
import { JobContainers } from "./job-containers.ts";

/** The containers of the job; the engine is looked for when the first of them is wanted. */
export async function containersOf(job: Job, what: string, signal: AbortSignal): Promise<JobContainers> {
  const opening = (job.shared.containers ??= open(job, signal));
  try {
    return await opening;
  } catch (error) {
    job.shared.containers = undefined;
    signal.throwIfAborted();
    const remedy = "Install Docker on the machine of the runner, or set DOCKER_HOST where the runner is started";
    throw new StepFailure(`Cannot run ${what}: ${errorMessage(error)}. ${remedy}`, error);
  }
}

async function open(job: Job, signal: AbortSignal): Promise<JobContainers> {
  const { runner, folders, noteContainers, log } = job.parts;
  const engine = await runner.containers(signal);
  noteContainers();
  await mkdir(folders.containerHome, { recursive: true });
  return await JobContainers.open(job, engine, log);
}
