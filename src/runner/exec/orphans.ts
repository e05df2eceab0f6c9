/** Ends what a job's steps left running, found by the tracking id that every step's environment carries. */
import { readdir, readFile } from "node:fs/promises";

/** Processes whose environment has `RUNNER_TRACKING_ID=<id>`; empty where there is no /proc. */
async function findOrphans(trackingId: string): Promise<number[]> {
  const entries = await readdir("/proc").catch(() => []);
  const wanted = `RUNNER_TRACKING_ID=${trackingId}`;
  const found: number[] = [];
  for (const entry of entries) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const environment = await readFile(`/proc/${entry}/environ`, "latin1").catch(() => "");
    if (environment.split("\0").includes(wanted)) found.push(Number(entry));
  }
  return found;
}

/** Kills them; those that start others meanwhile are found in the next round. */
export async function killOrphans(trackingId: string): Promise<number> {
  // One that dies slowly on a busy machine is found more than once.
  const killed = new Set<number>();
  for (let round = 0; round < 5; round++) {
    const found = await findOrphans(trackingId);
    if (found.length === 0) break;
    for (const pid of found) {
      try {
        process.kill(pid, "SIGKILL");
        killed.add(pid);
      } catch {
        // It ended by itself in between.
      }
    }
  }
  return killed.size;
}
