/** A directory of manifests: every YAML or JSON file in it, in path order. */
import picomatch from "picomatch";
import type { Problem } from "#lib";
import { limits } from "../limits.ts";
import { parseManifests, type Manifest } from "../manifest.ts";
import type { FileTree } from "../ports.ts";
import { readText } from "../read-file.ts";
import { joinTreePath, shownFolder } from "../tree-path.ts";

export interface DirectoryOptions {
  readonly recurse?: boolean;
  /** Glob of paths relative to the directory; absent takes all. */
  readonly include?: string;
  readonly exclude?: string;
}

export async function renderPlain(
  tree: FileTree,
  path: string,
  options: DirectoryOptions,
  problems: Problem[],
): Promise<Manifest[]> {
  const files = await manifestFiles(tree, path, options, problems);
  const manifests: Manifest[] = [];
  for (const file of files) {
    const text = await readText(tree, file, problems);
    if (text !== undefined && !isSkipped(text)) manifests.push(...parseManifests(file, text, problems));
    if (manifests.length <= limits.objects) continue;
    const message = `Cannot render: more than ${limits.objects} objects under "${shownFolder(path)}"`;
    problems.push({ path: "", message, at: { file } });
    return [];
  }
  return manifests;
}

/** Argo CD's marker for files that only look like manifests. */
function isSkipped(text: string): boolean {
  return text.includes("+argocd:skip-file-rendering");
}

async function manifestFiles(
  tree: FileTree,
  root: string,
  options: DirectoryOptions,
  problems: Problem[],
): Promise<string[]> {
  const included = options.include === undefined ? undefined : picomatch(options.include, { dot: true });
  const excluded = options.exclude === undefined ? undefined : picomatch(options.exclude, { dot: true });
  const files: string[] = [];
  const folders = [""];
  let seen = 0;
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    for (const entry of await tree.list(joinTreePath(root, folder) ?? root)) {
      const relative = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (++seen > limits.entries) {
        problems.push({ path: "", message: `Cannot render: more than ${limits.entries} files`, at: { file: root } });
        return [];
      }
      if (entry.type === "folder") {
        if (options.recurse === true && entry.name !== ".git") folders.push(relative);
      } else if (
        /\.(?:ya?ml|json)$/i.test(entry.name) &&
        included?.(relative) !== false &&
        excluded?.(relative) !== true
      ) {
        files.push(joinTreePath(root, relative) ?? relative);
      }
    }
  }
  return files.sort();
}
