/** Volumes of the embedded cluster: a folder each in the data folder. */
import { joinInside } from "#lib";
import type { VolumeFolderPort } from "#workloads";
import { chmod, mkdir, rm } from "node:fs/promises";

export function volumeFolders(folder: string): VolumeFolderPort {
  const pathOf = (volume: string): string => {
    const path = joinInside(folder, volume);
    if (path === undefined)
      throw new RangeError(`Cannot keep volume "${volume}": its name leaves the folder of volumes`);
    return path;
  };
  return {
    pathOf,
    async create(volume, signal) {
      signal.throwIfAborted();
      await mkdir(pathOf(volume), { recursive: true });
      // Containers may run as any user; nobody but the owner gets past the data folder itself.
      await chmod(pathOf(volume), 0o777);
    },
    async remove(volume, signal) {
      signal.throwIfAborted();
      await rm(pathOf(volume), { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
