/**
 * CPU and memory limits by control groups, of either version, where they can be written. One group a container and
 * controller, below one of ours; it stays until the container is removed, so that why it ended can be read after a
 * restart too.
 */
import { access, constants, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, readFileIfExists } from "#lib";
import type { ContainerLimits } from "../pod-runtime.ts";

const ours = "tidegate";

export type ControlGroups =
  /** One tree; the controllers that our part of it has. */
  | { readonly version: 2; readonly root: string; readonly controllers: ReadonlySet<string> }
  /** A tree for each controller. */
  | { readonly version: 1; readonly cpu?: string; readonly memory?: string };

/** What of limits can be enforced here, or why nothing can. */
export async function findControlGroups(): Promise<ControlGroups | string> {
  const mounts = (await readFileIfExists("/proc/self/mounts")) ?? "";
  const rows = mounts.split("\n").map((line) => line.split(" "));
  const old = (controller: string): string | undefined =>
    rows.find(([, , type, options]) => type === "cgroup" && options?.split(",").includes(controller))?.[1];
  const [cpu, memory] = [await writable(old("cpu")), await writable(old("memory"))];
  if (cpu !== undefined || memory !== undefined) {
    return { version: 1, ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  }
  const root = await writable(rows.find(([, , type]) => type === "cgroup2")?.[1]);
  if (root === undefined) return "control groups cannot be written";
  try {
    return await openVersion2(root);
  } catch (error) {
    return `control groups cannot be used (${errorCode(error) ?? "unknown error"})`;
  }
}

async function openVersion2(root: string): Promise<ControlGroups | string> {
  const folder = join(root, ours);
  await mkdir(folder, { recursive: true });
  for (const parent of [root, folder]) {
    for (const controller of ["cpu", "memory"]) {
      // A group with processes of its own may not pass controllers on; another controller may still be to be had.
      await writeFile(join(parent, "cgroup.subtree_control"), `+${controller}`).catch(() => {});
    }
  }
  const enabled = (await readFile(join(folder, "cgroup.subtree_control"), "utf8")).trim().split(" ");
  const controllers = new Set(enabled.filter((name) => name !== ""));
  return controllers.size === 0
    ? "the control groups of this machine have no controllers to give"
    : { version: 2, root, controllers };
}

async function writable(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    await access(path, constants.W_OK);
    return path;
  } catch {
    return undefined;
  }
}

export function limitsCpu(groups: ControlGroups): boolean {
  return groups.version === 2 ? groups.controllers.has("cpu") : groups.cpu !== undefined;
}

export function limitsMemory(groups: ControlGroups): boolean {
  return groups.version === 2 ? groups.controllers.has("memory") : groups.memory !== undefined;
}

const periodUs = 100_000;

/** Makes the container's groups and gives the files to which its processes write themselves. */
export async function applyLimits(groups: ControlGroups, id: string, limits: ContainerLimits): Promise<string[]> {
  const { cpuMillis, memoryBytes } = limits;
  const quotaUs = cpuMillis === undefined ? undefined : Math.max(1000, (cpuMillis * periodUs) / 1000);
  const folders = foldersOf(groups, id);
  for (const folder of new Set(Object.values(folders))) await mkdir(folder, { recursive: true });
  if (groups.version === 2) {
    const { all } = folders;
    if (all === undefined) return [];
    if (quotaUs !== undefined && groups.controllers.has("cpu"))
      await writeFile(join(all, "cpu.max"), `${quotaUs} ${periodUs}`);
    if (memoryBytes !== undefined && groups.controllers.has("memory")) {
      await writeFile(join(all, "memory.max"), String(memoryBytes));
      await writeFile(join(all, "memory.swap.max"), "0").catch(ignoreMissing);
    }
    return [join(all, "cgroup.procs")];
  }
  const { cpu, memory } = folders;
  if (cpu !== undefined && quotaUs !== undefined) {
    await writeFile(join(cpu, "cpu.cfs_period_us"), String(periodUs));
    await writeFile(join(cpu, "cpu.cfs_quota_us"), String(quotaUs));
  }
  if (memory !== undefined && memoryBytes !== undefined) {
    await writeFile(join(memory, "memory.limit_in_bytes"), String(memoryBytes));
    // Memory and swap together; only where the kernel counts swap.
    await writeFile(join(memory, "memory.memsw.limit_in_bytes"), String(memoryBytes)).catch(ignoreMissing);
  }
  return [cpu, memory].filter((folder) => folder !== undefined).map((folder) => join(folder, "cgroup.procs"));
}

/** Whether the kernel ended a process of the container for want of memory. */
export async function ranOutOfMemory(groups: ControlGroups, id: string): Promise<boolean> {
  const { all, memory } = foldersOf(groups, id);
  const file = all === undefined ? join(memory ?? "", "memory.oom_control") : join(all, "memory.events");
  if (all === undefined && memory === undefined) return false;
  return Number(/^oom_kill (\d+)$/m.exec((await readFileIfExists(file)) ?? "")?.[1] ?? 0) > 0;
}

export async function removeLimits(groups: ControlGroups, id: string): Promise<void> {
  for (const folder of new Set(Object.values(foldersOf(groups, id)))) {
    // A process that is not quite gone holds it; an empty group costs nothing until the next start tidies up.
    await rmdir(folder).catch(() => {});
  }
}

/** Removes the groups of containers that are no more. */
export async function tidyLimits(groups: ControlGroups, known: ReadonlySet<string>, mine: string): Promise<void> {
  const trees = groups.version === 2 ? [groups.root] : [groups.cpu, groups.memory];
  for (const tree of trees) {
    if (tree === undefined) continue;
    const names = await readdir(join(tree, ours)).catch(() => []);
    for (const name of names) {
      if (name.startsWith(`${mine}-`) && !known.has(name.slice(mine.length + 1))) {
        await rmdir(join(tree, ours, name)).catch(() => {});
      }
    }
  }
}

function foldersOf(groups: ControlGroups, id: string): { all?: string; cpu?: string; memory?: string } {
  if (groups.version === 2) return { all: join(groups.root, ours, id) };
  return {
    ...(groups.cpu === undefined ? {} : { cpu: join(groups.cpu, ours, id) }),
    ...(groups.memory === undefined ? {} : { memory: join(groups.memory, ours, id) }),
  };
}

function ignoreMissing(error: unknown): void {
  if (errorCode(error) !== "ENOENT" && errorCode(error) !== "EOPNOTSUPP") throw error;
}
