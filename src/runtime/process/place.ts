/**
 * Where things of a container are on the host. A container without a mount namespace cannot have `/etc/app` to itself:
 * its image is a folder (`TIDEGATE_ROOT`), a volume is a link at the mount path inside that folder. Relative paths, the
 * working directory, the program and arguments that are paths work as in a container; a program that opens an absolute
 * path by itself reaches the host's file.
 */
import { lstat, mkdir, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { joinInside } from "#lib";
import { RuntimeError } from "../errors.ts";
import { resolveInTree, treeParts } from "../image/tree-path.ts";
import type { ContainerMount } from "../pod-runtime.ts";

/** A mount with its volume's folder. */
interface PlacedMount {
  readonly parts: readonly string[];
  readonly target: string;
  readonly isSubPath: boolean;
}

export class ContainerPlace {
  readonly tree: string;
  readonly #mounts: readonly PlacedMount[];

  /** @param volumes the folder of the pod's volumes */
  constructor(tree: string, volumes: string, mounts: readonly ContainerMount[]) {
    this.tree = tree;
    this.#mounts = mounts.map((mount) => placeMount(volumes, mount));
  }

  /** The host path of what the container means by absolute `path`; undefined for a loop of links. */
  async locate(path: string): Promise<string | undefined> {
    const parts = treeParts(path);
    const mount = this.#mounts
      .filter((mount) => mount.parts.every((part, index) => parts[index] === part))
      .toSorted((a, b) => b.parts.length - a.parts.length)[0];
    if (mount !== undefined) return join(mount.target, ...parts.slice(mount.parts.length));
    return await resolveInTree(this.tree, path, true);
  }

  /** Puts the links in. A volume hides what the image has at its path. */
  async linkMounts(): Promise<void> {
    for (const mount of this.#mounts.toSorted((a, b) => a.parts.length - b.parts.length)) {
      const parent = await resolveInTree(this.tree, mount.parts.slice(0, -1).join("/"), true);
      const name = mount.parts.at(-1);
      if (parent === undefined || name === undefined) continue;
      // A mount inside another mount lives in that volume's folder; a sub-path that is not there is made a folder.
      await mkdir(dirname(mount.target), { recursive: true });
      if (mount.isSubPath && !(await exists(mount.target))) await mkdir(mount.target);
      await mkdir(parent, { recursive: true });
      await rm(join(parent, name), { recursive: true, force: true });
      await symlink(mount.target, join(parent, name));
    }
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}

function placeMount(volumes: string, mount: ContainerMount): PlacedMount {
  const parts = treeParts(mount.mountPath);
  const folder = joinInside(volumes, mount.volume);
  const target = folder === undefined ? undefined : joinInside(folder, mount.subPath ?? "");
  if (parts.length === 0 || target === undefined || folder === volumes) {
    const message = `Cannot mount volume "${mount.volume}" at "${mount.mountPath}": the path must be below "/" and inside the volume`;
    throw new RuntimeError("runtime/bad-volume", message);
  }
  return { parts, target, isSubPath: (mount.subPath ?? "") !== "" };
}
