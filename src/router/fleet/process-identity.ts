/** Which process a pid means: after a restart of the machine or a long time the number may be another's. */
import { readFile } from "node:fs/promises";

export interface ProcessIdentity {
  readonly pid: number;
  /** Start time in the kernel's ticks; "" where the system does not tell. */
  readonly startTime: string;
}

/** The process of that pid now, or undefined when there is none. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    // proc(5): field 22; the command in parentheses may hold blanks, so count behind the last one.
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : { pid, startTime: fields[19] ?? "" };
  } catch {
    return isRunning(pid) ? { pid, startTime: "" } : undefined;
  }
}

/** True when that very process still runs; false when in doubt, so that no stranger is killed. */
export async function isSame(known: ProcessIdentity): Promise<boolean> {
  if (known.startTime === "") return false;
  return (await identify(known.pid))?.startTime === known.startTime;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
