/** Where a container's mounts come from on this machine, for runtimes that bind folders into a file system of its own. */
import { lstat, mkdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { errorCode, joinInside } from "#lib";
import { RuntimeError } from "./errors.ts";
import type { ContainerMount } from "./pod-runtime.ts";

export interface MountSource {
  /** A real path: no part of it is a link. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/**
 * @param volumes the folder of the pod's volumes. A link in it is a folder of the machine, which the pod's spec named;
 * a sub-path may not lead out of its volume, whatever links the volume holds
 */
export async function mountSources(volumes: string, mounts: readonly ContainerMount[]): Promise<MountSource[]> {
  const sources: MountSource[] = [];
  for (const mount of mounts) sources.push(await mountSource(volumes, mount));
  // What lies inside another mount comes after it.
  return sources.toSorted((a, b) => a.target.split("/").length - b.target.split("/").length);
}

async function mountSource(volumes: string, mount: ContainerMount): Promise<MountSource> {
  const { volume, mountPath, subPath = "", readOnly = false } = mount;
  const folder = joinInside(volumes, volume);
  if (folder === undefined || folder === volumes || !/^\/+[^/]/.test(mountPath) || mountPath.includes("\0")) {
    throw refused(mount, 'the path must be below "/"');
  }
  if (!(await exists(folder))) await mkdir(folder, { recursive: true });
  const root = await realpath(folder);
  const wanted = joinInside(root, subPath);
  if (wanted === undefined) throw refused(mount, "the sub-path leaves the volume");
  if (subPath !== "" && !(await exists(wanted))) await makeSubPath(root, wanted, mount);
  const source = await realpath(wanted);
  if (source !== root && !source.startsWith(root + sep)) throw refused(mount, "the sub-path leaves the volume");
  return { source, target: mountPath, readOnly };
}

/** A sub-path that is not there becomes a folder, but not through a link that leads elsewhere. */
async function makeSubPath(root: string, wanted: string, mount: ContainerMount): Promise<void> {
  let at = root;
  for (const part of wanted.slice(root.length + 1).split(sep)) {
    at = join(at, part);
    if (!(await exists(at))) await mkdir(at);
    const real = await realpath(at);
    if (!real.startsWith(root + sep)) throw refused(mount, "the sub-path leaves the volume");
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return false;
    throw error;
  }
}

function refused(mount: ContainerMount, why: string): RuntimeError {
  const message = `Cannot mount volume "${mount.volume}" at "${mount.mountPath}": ${why}`;
  return new RuntimeError("runtime/bad-volume", message);
}
