import { readdir, readFile, realpath } from "node:fs/promises";
import { sep } from "node:path";
import { errorCode, joinInside } from "#lib";
import type { FileTree, TreeEntry } from "./ports.ts";

/** The files of a folder on disk. Symbolic links work as long as they stay inside the folder. */
export function folderTree(root: string): FileTree {
  async function resolveInside(path: string): Promise<string | undefined> {
    const joined = joinInside(root, path);
    if (joined === undefined) return undefined;
    const [base, real] = await Promise.all([realpath(root), ifThere(realpath(joined))]);
    if (real === undefined) return undefined;
    return real === base || real.startsWith(base.endsWith(sep) ? base : base + sep) ? real : undefined;
  }
  return {
    async read(path) {
      const real = await resolveInside(path);
      return real === undefined ? undefined : await ifThere(readFile(real));
    },
    async list(folder) {
      const real = await resolveInside(folder);
      if (real === undefined) return [];
      const entries = (await ifThere(readdir(real, { withFileTypes: true }))) ?? [];
      return entries
        .filter((entry) => entry.isFile() || entry.isDirectory() || entry.isSymbolicLink())
        .map((entry): TreeEntry => ({ name: entry.name, type: entry.isDirectory() ? "folder" : "file" }));
    },
  };
}

async function ifThere<T>(wanted: Promise<T>): Promise<T | undefined> {
  try {
    return await wanted;
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EISDIR", "ELOOP"].includes(errorCode(error) ?? "")) return undefined;
    throw error;
  }
}
