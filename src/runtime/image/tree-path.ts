/**
 * Paths inside an unpacked image, resolved the way a container would see them: `/` is the tree's root, and neither
 * `..` nor a symbolic link leads out of it. All file access to a tree goes through here.
 */
import { lstat, readlink } from "node:fs/promises";
import { join, posix } from "node:path";
import { errorCode } from "#lib";

/** Linux allows 40 links in one resolution; a longer chain is a loop. */
const maxLinks = 40;

/** A path of an archive or of a pod spec as names below the root; `..` at the root stays there. */
export function treeParts(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts;
}

/**
 * The real path of `path` in the tree at `root`, links followed inside the tree. The last name is followed only with
 * `followLast`. What does not exist yet stays as it is named. Undefined for a link loop.
 */
export async function resolveInTree(root: string, path: string, followLast: boolean): Promise<string | undefined> {
  let pending = treeParts(path);
  let done: string[] = [];
  let links = 0;
  while (pending.length > 0) {
    const [part, ...rest] = pending as [string, ...string[]];
    pending = rest;
    const here = join(root, ...done, part);
    const target = rest.length > 0 || followLast ? await linkTarget(here) : undefined;
    if (target === undefined) {
      done.push(part);
      continue;
    }
    if (++links > maxLinks) return undefined;
    const combined = target.startsWith("/") ? [] : done;
    pending = [...treeParts([...combined, target].join("/")), ...rest];
    done = [];
  }
  return join(root, ...done);
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : undefined;
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw error;
  }
}

/**
 * What a link at `at` (names below the root) must say so that it means inside this tree what `target` means in a
 * container: absolute targets and those that climb over the root become relative ones that stay in.
 *
 * `link /usr/bin/python3 → /usr/bin/python3.11` becomes `python3.11`; `link /etc/x → ../../../y` becomes `../y`.
 */
export function confinedLinkTarget(at: readonly string[], target: string): string {
  const from = posix.join("/", ...at.slice(0, -1));
  const absolute = posix.join("/", ...treeParts(target.startsWith("/") ? target : `${from}/${target}`));
  const confined = posix.relative(from, absolute);
  return confined === "" ? "." : confined;
}
