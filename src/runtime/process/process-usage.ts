/**
 * What the processes of a session have used. A container's shim leads a session of its own, so its session is the
 * container, but for processes that made themselves another one.
 */
import { readdir, readFile } from "node:fs/promises";
import { runCommand } from "#lib";

export interface SessionUsage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

/** The kernel tells times to programs in hundredths of a second on every architecture (USER_HZ). */
const tickMs = 10;

/** By the pid of the session's leader. */
export async function processUsage(signal: AbortSignal): Promise<ReadonlyMap<number, SessionUsage>> {
  const used = new Map<number, SessionUsage>();
  const add = (session: number, cpuMs: number, memoryBytes: number): void => {
    const known = used.get(session) ?? { cpuMs: 0, memoryBytes: 0 };
    used.set(session, { cpuMs: known.cpuMs + cpuMs, memoryBytes: known.memoryBytes + memoryBytes });
  };
  if (process.platform === "linux") await readProcesses(add);
  else await askPs(add, signal);
  return used;
}

type Add = (session: number, cpuMs: number, memoryBytes: number) => void;

async function readProcesses(add: Add): Promise<void> {
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = parseStat(await readFile(`/proc/${pid}/stat`, "utf8"));
      if (stat === undefined || stat.session <= 1) continue;
      add(stat.session, stat.cpuMs, parseResident(await readFile(`/proc/${pid}/status`, "utf8")));
    } catch {
      // Ended between two looks.
    }
  }
}

/**
 * Fields of `/proc/<pid>/stat` by proc(5), after the name, which may hold blanks and parentheses: 6 session, 14 utime,
 * 15 stime, 16 cutime, 17 cstime. The last two are of children that ended and were waited for, so that a container's
 * time does not fall when a child of it ends.
 */
export function parseStat(text: string): { readonly session: number; readonly cpuMs: number } | undefined {
  const rest = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number): number => Number(rest[number - 3]);
  const cpuMs = (field(14) + field(15) + field(16) + field(17)) * tickMs;
  return Number.isFinite(cpuMs) ? { session: field(6), cpuMs } : undefined;
}

export function parseResident(status: string): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Where there is no /proc: by process group, which the shim leads as well. */
async function askPs(add: Add, signal: AbortSignal): Promise<void> {
  const ps = await runCommand("ps", ["-axo", "pgid=,time=,rss="], { env: {}, signal });
  for (const line of ps.stdout.toString("utf8").split("\n")) {
    const match = /^\s*(\d+)\s+(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s+(\d+)\s*$/.exec(line);
    if (match === null) continue;
    const seconds = Number(match[2] ?? 0) * 3600 + Number(match[3]) * 60 + Number(match[4]);
    add(Number(match[1]), seconds * 1000, Number(match[5]) * 1024);
  }
}
