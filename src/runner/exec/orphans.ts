/** Ends what a job's steps left running, found by the tracking id that every step's environment carries. */
import { readdir, readFile } from "node:fs/promises";

/** Processes whose environment has the variable `NAME=value`; empty where there is no /proc. */
async function findMarked(wanted: string): Promise<number[]> {
  const entries = await readdir("/proc").catch(() => []);
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
    const found = await findMarked(`RUNNER_TRACKING_ID=${trackingId}`);
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

/** Sends a signal to each process that has the variable in its environment; how many there were. */
export async function signalMarked(mark: string, signal: NodeJS.Signals): Promise<number> {
  let reached = 0;
  for (const pid of await findMarked(mark)) {
    try {
      process.kill(pid, signal);
      reached += 1;
    } catch {
      // It ended by itself in between, or is another user's.
    }
  }
  return reached;
}
