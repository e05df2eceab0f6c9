/**
 * Volumes with content (ConfigMap, Secret), laid out as kubelet does: the files stand in a folder of their own, `..data`
 * is a link to it that is swapped by rename, and the names are links through `..data`. So a reader sees all old files or
 * all new ones.
 */
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { errorCode, type Ids, joinInside } from "#lib";
import { RuntimeError } from "../errors.ts";
import type { VolumeContent } from "../pod-runtime.ts";

const dataLink = "..data";

export async function writeVolume(folder: string, volume: VolumeContent, ids: Ids): Promise<void> {
  if (volume.hostPath !== undefined) return await linkHostPath(folder, volume.hostPath);
  await mkdir(folder, { recursive: true });
  if (volume.files === undefined) return;
  if (await isWritten(folder, volume)) return;
  const version = `..${ids.suffix(10)}`;
  await mkdir(join(folder, version), { mode: 0o755 });
  for (const [path, bytes] of volume.files) {
    const file = joinInside(join(folder, version), path);
    if (file === undefined || path.split("/")[0]?.startsWith("..") === true) {
      throw new RuntimeError("runtime/bad-volume", `Cannot write volume "${volume.name}": "${path}" leaves the volume`);
    }
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes);
    // Not at creation, where the umask would take bits away.
    await chmod(file, modeOf(volume, path));
  }
  const old = await linkOf(join(folder, dataLink));
  await symlink(version, join(folder, `${version}.link`));
  await rename(join(folder, `${version}.link`), join(folder, dataLink));
  await linkNames(folder, new Set([...volume.files.keys()].map((path) => path.split("/")[0] ?? "")));
  if (old !== undefined) await rm(join(folder, old), { recursive: true, force: true });
}

/** Volumes live in the pod's folder; one of the machine is a link there. */
async function linkHostPath(folder: string, hostPath: string): Promise<void> {
  if ((await linkOf(folder)) === hostPath) return;
  await mkdir(dirname(folder), { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await symlink(hostPath, folder);
}

/** The files are there already, byte for byte: swapping them would only wake those who watch. */
async function isWritten(folder: string, volume: VolumeContent): Promise<boolean> {
  const data = join(folder, dataLink);
  const names = await namesBelow(data);
  if (names === undefined || names.length !== volume.files?.size) return false;
  for (const [path, bytes] of volume.files) {
    const file = joinInside(data, path);
    if (file === undefined || !names.includes(path)) return false;
    if (((await stat(file)).mode & 0o777) !== modeOf(volume, path)) return false;
    if (!(await readFile(file)).equals(bytes)) return false;
  }
  return true;
}

async function namesBelow(folder: string): Promise<string[] | undefined> {
  try {
    const real = await realpath(folder);
    const entries = await readdir(real, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files.map((entry) => join(relative(real, entry.parentPath), entry.name));
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

function modeOf(volume: VolumeContent, path: string): number {
  return volume.modes?.get(path) ?? volume.mode ?? 0o644;
}

async function linkNames(folder: string, names: ReadonlySet<string>): Promise<void> {
  const present = new Set((await readdir(folder)).filter((name) => !name.startsWith("..")));
  for (const name of present) if (!names.has(name)) await rm(join(folder, name), { force: true });
  for (const name of names) if (!present.has(name)) await symlink(join(dataLink, name), join(folder, name));
}

async function linkOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "EINVAL") return undefined;
    throw error;
  }
}
