/** What of isolation this machine can do, found out by doing it once. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { errorMessage, runCommand } from "#lib";
import { type ControlGroups, findControlGroups } from "./limits.ts";

interface IsolationAbilities {
  /** Changes of a container over a shared image; otherwise each container gets a copy of its own. */
  readonly overlay: boolean;
  /** A network of its own for each pod; otherwise pods share the machine's. */
  readonly networks: boolean;
}

export interface MachineAbilities {
  /** The file system, the processes and the rights of an image that carries its own root; or why not. */
  readonly isolation: IsolationAbilities | string;
  /** Limits; for every kind of pod that is a process. */
  readonly limits: ControlGroups | string;
}

/** @param folder on the file system where containers will be */
export async function detectAbilities(
  folder: string,
  searchPath: string,
  signal: AbortSignal,
): Promise<MachineAbilities> {
  const limits = process.platform === "linux" ? await findControlGroups() : "this is not Linux";
  return { isolation: await findIsolation(folder, searchPath, signal), limits };
}

async function findIsolation(
  folder: string,
  searchPath: string,
  signal: AbortSignal,
): Promise<IsolationAbilities | string> {
  if (process.platform !== "linux") return "this is not Linux";
  if (process.getuid?.() !== 0) return "Tidegate does not run as root";
  if (!isBuiltin("node:ffi")) return "this Node.js has no node:ffi";
  const run = (file: string, ...args: readonly string[]): Promise<string | undefined> =>
    problemOf(file, args, searchPath, signal);
  const spaces = await run("unshare", "--mount", "--pid", "--ipc", "--uts", "--net", "--fork", "--kill-child", "true");
  if (spaces !== undefined) return `namespaces cannot be made (${spaces})`;
  const enter = await run("nsenter", "--version");
  if (enter !== undefined) return `nsenter does not run (${enter})`;
  const probe = `tidegate-probe-${process.pid}`;
  const network = await run("ip", "netns", "add", probe);
  if (network === undefined) await run("ip", "netns", "delete", probe);
  return { overlay: await canOverlay(folder, run), networks: network === undefined };
}

async function canOverlay(
  folder: string,
  run: (file: string, ...args: readonly string[]) => Promise<string | undefined>,
): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  const probe = await mkdtemp(join(folder, ".overlay-"));
  try {
    for (const name of ["lower", "upper", "work", "root"]) await mkdir(join(probe, name));
    const script = 'cd "$0" && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root';
    return (await run("unshare", "--mount", "sh", "-c", script, probe)) === undefined;
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

/** Undefined when it ended well. */
async function problemOf(
  file: string,
  args: readonly string[],
  searchPath: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const result = await runCommand(file, args, { env: { PATH: searchPath }, signal });
    return result.exitCode === 0 ? undefined : (result.stderr.trim().split("\n")[0] ?? "failed");
  } catch (error) {
    signal.throwIfAborted();
    return errorMessage(error);
  }
}

/** One sentence for people: what pods of this machine have. */
export function abilitiesText({ isolation, limits }: MachineAbilities): string {
  const isolated =
    typeof isolation === "string"
      ? `pods are plain processes, not isolated: ${isolation}`
      : `images with a root file system of their own are isolated${isolation.networks ? "" : ", but share the network"}`;
  return `${isolated}; ${typeof limits === "string" ? `CPU and memory are not limited: ${limits}` : "CPU and memory are limited"}`;
}

/** The same for people who ask before a runtime is open. */
export async function detectIsolation(
  folder: string,
  hostPath: string,
  signal: AbortSignal,
): Promise<{ readonly isolated: boolean; readonly text: string }> {
  const abilities = await detectAbilities(folder, withSystemFolders(hostPath), signal);
  return { isolated: typeof abilities.isolation !== "string", text: abilitiesText(abilities) };
}

/** `ip` and the like lie in folders that a user's PATH may lack. */
export function withSystemFolders(hostPath: string): string {
  return `${hostPath}:/usr/sbin:/sbin:/usr/bin:/bin`;
}
