/** Which files the paths of an upload mean, and what of their paths is kept. */
import { stat } from "node:fs/promises";
import { dirname, normalize } from "node:path";
import type { ActionCall } from "../builtin-action.ts";
import { glob } from "../files/glob.ts";
import { patternPlace } from "../files/place.ts";

export interface FoundFiles {
  readonly files: readonly string[];
  /** Paths in the archive are relative to it. */
  readonly root: string;
}

export async function findFiles(call: ActionCall, lines: readonly string[], hidden: boolean): Promise<FoundFiles> {
  const { paths, searchPaths } = await glob(lines, {
    ...patternPlace(call),
    descendants: true,
    withoutHidden: !hidden,
  });
  const files: string[] = [];
  const seen = new Set<string>();
  for (const path of paths) {
    if ((await stat(path)).isDirectory()) continue;
    files.push(path);
    if (seen.has(path.toLowerCase())) {
      call.log(
        `Uploads are case insensitive: ${path} was detected that it will be overwritten by another file with the same path`,
      );
    }
    seen.add(path.toLowerCase());
  }
  return { files, root: rootOf(call, files, searchPaths) };
}

function rootOf(call: ActionCall, files: readonly string[], searchPaths: readonly string[]): string {
  if (searchPaths.length > 1) {
    call.log("Multiple search paths detected. Calculating the least common ancestor of all paths");
    const root = commonAncestor(searchPaths);
    call.log(`The least common ancestor is ${root}. This will be the root directory of the artifact`);
    return root;
  }
  const [only = "/"] = searchPaths;
  // One file by its name is put at the root of the archive.
  return files.length === 1 && files[0] === only ? dirname(only) : only;
}

/** `/foo/bar` and `/foo/voo/two` have `/foo`. */
function commonAncestor(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map((path) => normalize(path).split("/"));
  const differing = first.findIndex((part, index) => others.some((other) => other[index] !== part));
  const common = differing === -1 ? first : first.slice(0, differing);
  return common.join("/") || "/";
}
