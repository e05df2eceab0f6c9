/** Paths inside a `FileTree`. Pure text: no `node:path`, whose rules differ by platform. */

/** `folder` joined with a relative path, normalised; undefined when the result would leave the root. */
export function joinTreePath(folder: string, relative: string): string | undefined {
  if (relative.startsWith("/") || relative.includes("\0")) return undefined;
  const parts = folder === "" ? [] : folder.split("/");
  for (const part of relative.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** `path` for people: the root is written as `.`. */
export function shownFolder(path: string): string {
  return path === "" ? "." : path;
}

/** True for what Kustomize would fetch over the network: URLs, scp-like addresses and host shorthands. */
export function isRemote(entry: string): boolean {
  return /^[a-z][a-z0-9+.-]*::?\/?\/|^git::|^[\w.-]+@[\w.-]+:|^(?:github|gitlab|bitbucket)\.(?:com|org)[:/]/i.test(
    entry,
  );
}
