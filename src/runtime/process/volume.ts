/**
 * Volumes with content (ConfigMap, Secret), laid out as kubelet does: the files stand in a folder of their own, `..data`
 * is a link to it that is swapped by rename, and the names are links through `..data`. So a reader sees all old files or
 * all new ones.
 */
import { mkdir, readdir, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errorCode, type Ids, joinInside } from "#lib";
import { RuntimeError } from "../errors.ts";
import type { VolumeContent } from "../pod-runtime.ts";

const dataLink = "..data";

export async function writeVolume(folder: string, volume: VolumeContent, ids: Ids): Promise<void> {
  await mkdir(folder, { recursive: true });
  if (volume.files === undefined) return;
  const version = `..${ids.suffix(10)}`;
  await mkdir(join(folder, version), { mode: 0o755 });
  for (const [path, bytes] of volume.files) {
    const file = joinInside(join(folder, version), path);
    if (file === undefined || path.split("/")[0]?.startsWith("..") === true) {
      throw new RuntimeError("runtime/bad-volume", `Cannot write volume "${volume.name}": "${path}" leaves the volume`);
    }
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, bytes, { mode: volume.mode ?? 0o644 });
  }
  const old = await linkOf(join(folder, dataLink));
  await symlink(version, join(folder, `${version}.link`));
  await rename(join(folder, `${version}.link`), join(folder, dataLink));
  await linkNames(folder, new Set([...volume.files.keys()].map((path) => path.split("/")[0] ?? "")));
  if (old !== undefined) await rm(join(folder, old), { recursive: true, force: true });
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
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
