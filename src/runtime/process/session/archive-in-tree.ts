/**
 * `kubectl cp` is `tar` in the container, and names in the archive must be those that it asked for. A container without
 * a file system of its own has `/app/data` elsewhere, so an archive of an absolute path is made from its tree's root:
 * `tar cf - /app/data` becomes `tar cf - -C <tree> app/data`.
 */
import { lstat, stat } from "node:fs/promises";
import { join } from "node:path";
import { treeParts } from "../../image/tree-path.ts";

export async function archiveInTree(command: readonly string[], tree: string): Promise<readonly string[]> {
  const [program = "", mode = "", ...rest] = command;
  const last = rest.at(-1) ?? "";
  const creates = /^(?:.*\/)?tar$/.test(program) && /^-?[a-zA-Z]*c[a-zA-Z]*$/.test(mode);
  if (!creates || !last.startsWith("/")) return command;
  const name = join(...treeParts(last), "");
  const kind = await kindIn(tree, name);
  if (kind === "absent" || name === ".") return command;
  // A volume is a link in the tree: with a slash its content is taken, not the link.
  return [program, mode, ...rest.slice(0, -1), "-C", tree, kind === "linked-folder" ? `${name}/.` : name];
}

async function kindIn(tree: string, name: string): Promise<"absent" | "linked-folder" | "other"> {
  try {
    const path = join(tree, name);
    const isLink = (await lstat(path)).isSymbolicLink();
    return isLink && (await stat(path)).isDirectory() ? "linked-folder" : "other";
  } catch {
    return "absent";
  }
}
