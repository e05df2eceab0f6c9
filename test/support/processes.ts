/** The processes of one installation, as the kernel lists them: what a test may kill, and what must be gone at the end. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  /** Its arguments, with blanks between. */
  readonly command: string;
}

/** Live processes whose arguments, working folder or environment name `folder`. Linux only; empty elsewhere. */
export function processesOf(folder: string): RunningProcess[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => look(Number(name), folder) ?? []);
}

/** The one process of the installation whose command holds `part`; undefined while there is none. */
export function processOf(folder: string, part: string): RunningProcess | undefined {
  return processesOf(folder).find(({ command }) => command.includes(part));
}

function look(pid: number, folder: string): RunningProcess | undefined {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
    // A zombie has no arguments: it has ended, whatever its parent makes of it.
    if (command === "") return undefined;
    const facts = [command, readlinkSync(`/proc/${pid}/cwd`), readFileSync(`/proc/${pid}/environ`, "utf8")];
    if (!facts.some((fact) => fact.includes(folder))) return undefined;
    // proc(5): the command in parentheses may hold blanks; the parent is the second field behind it.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    return { pid, parent, command };
  } catch {
    // Another user's, or gone between two looks.
    return undefined;
  }
}
