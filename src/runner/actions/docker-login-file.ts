/** The job's DOCKER_CONFIG: what `docker` itself, run by a script, is logged in with. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { dockerConfig } from "#images";
import { writeFileAtomic } from "#lib";
import type { Job } from "../job/job.ts";

export async function writeDockerConfig(job: Job): Promise<void> {
  const folder = join(job.parts.folders.temp, "docker-config");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileAtomic(join(folder, "config.json"), dockerConfig(job.logins), 0o600);
  job.env.set("DOCKER_CONFIG", folder);
}
