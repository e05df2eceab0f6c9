/** What the operating system knows of container processes. */
import { readdir, readFile } from "node:fs/promises";
import { errorCode, runCommand } from "#lib";

/**
 * Whether `pid` is the shim of the container in `folder`: the pid may have gone to another process since it was noted.
 * The folder is named after the attempt and stands in the shim's arguments, so this says more than a start time would.
 */
export async function isShimOf(pid: number, folder: string, signal: AbortSignal): Promise<boolean> {
  if (process.platform === "linux") {
    const commandLine = await readProc(`/proc/${pid}/cmdline`);
    return commandLine?.split("\0")[2] === folder;
  }
  const ps = await runCommand("ps", ["-ww", "-o", "command=", "-p", String(pid)], { env: {}, signal });
  return ps.exitCode === 0 && ps.stdout.toString("utf8").includes(` ${folder} `);
}

/** Signals every process of the group; false when the group is gone. */
export function signalGroup(group: number, name: NodeJS.Signals): boolean {
  // 0 and 1 would mean our own group and every process there is.
  if (!Number.isSafeInteger(group) || group <= 1) return false;
  try {
    process.kill(-group, name);
    return true;
  } catch (error) {
    // macOS answers EPERM for a group of zombies.
    if (errorCode(error) === "ESRCH" || errorCode(error) === "EPERM") return false;
    throw error;
  }
}

/** Live processes whose environment has `entry` (`NAME=value`), also those that left their group. Empty off Linux. */
export async function processesWithEnvironment(entry: string): Promise<number[]> {
  if (process.platform !== "linux") return [];
  const found: number[] = [];
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    const environment = await readProc(`/proc/${name}/environ`);
    if (environment?.split("\0").includes(entry) === true) found.push(Number(name));
  }
  return found;
}

/** The environment a process was started with; undefined when it cannot be known (not Linux, gone, not ours). */
export async function environmentOf(pid: number): Promise<Record<string, string> | undefined> {
  if (process.platform !== "linux") return undefined;
  const text = await readProc(`/proc/${pid}/environ`);
  if (text === undefined || text === "") return undefined;
  const pairs = text.split("\0").filter((pair) => pair.includes("="));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]));
}

export function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (errorCode(error) !== "ESRCH" && errorCode(error) !== "EPERM") throw error;
  }
}

async function readProc(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // Gone, or another user's: either way not one of ours that runs.
    return undefined;
  }
}
