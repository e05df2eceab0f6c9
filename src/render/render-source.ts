/** What an Application's source gives: the type is recognised by what lies in the folder. */
import type { AnyObject } from "#api";
import { hasErrors, type Checked, type Location, type Problem } from "#lib";
import { renderKustomize } from "./kustomize/build.ts";
import { findKustomization } from "./kustomize/find-kustomization.ts";
import type { Kustomization } from "./kustomize/kustomization.ts";
import type { Manifest } from "./manifest.ts";
import { renderPlain, type DirectoryOptions } from "./plain/render-plain.ts";
import type { FileTree } from "./ports.ts";
import { joinTreePath, shownFolder } from "./tree-path.ts";

export type SourceType = "Directory" | "Kustomize" | "Helm";

export interface RenderOptions {
  /** Folder inside the tree; `""` or `.` is its root. */
  readonly path: string;
  readonly directory?: DirectoryOptions;
  /** Changes laid over the kustomization; only with a kustomization. `file` is what problems name as their place. */
  readonly kustomize?: { readonly changes: Kustomization; readonly file: string };
}

export interface Rendered extends Checked<readonly AnyObject[]> {
  readonly sourceType: SourceType;
  /** Where each object of `value` was written, in the same order. */
  readonly origins?: readonly Location[];
}

/** Renders the folder. `value` is absent when anything is wrong: a partial result would delete what is missing from it. */
export async function renderSource(tree: FileTree, options: RenderOptions): Promise<Rendered> {
  const problems: Problem[] = [];
  const path = joinTreePath("", options.path);
  if (path === undefined) {
    problems.push({
      path: "spec.source.path",
      message: `Path "${options.path}" leaves the repository: make it relative to its root`,
    });
    return { sourceType: "Directory", problems };
  }
  const sourceType = await detectSourceType(tree, path);
  const manifests = await renderType(sourceType, tree, path, options, problems);
  if (hasErrors(problems)) return { sourceType, problems };
  return {
    sourceType,
    problems,
    value: manifests.map(({ object }) => object),
    origins: manifests.map(({ at }) => at),
  };
}

/** As Argo CD decides: a chart wins over a kustomization, anything else is a directory of manifests. */
async function detectSourceType(tree: FileTree, path: string): Promise<SourceType> {
  if ((await tree.list(path)).some(({ name, type }) => type === "file" && name === "Chart.yaml")) return "Helm";
  return (await findKustomization(tree, path)) === undefined ? "Directory" : "Kustomize";
}

async function renderType(
  type: SourceType,
  tree: FileTree,
  path: string,
  options: RenderOptions,
  problems: Problem[],
): Promise<Manifest[]> {
  switch (type) {
    case "Helm": {
      const message = `"${shownFolder(path)}" is a Helm chart, which this version cannot render: commit the output of "helm template" and point the source at it`;
      problems.push({ path: "", message, at: { file: joinTreePath(path, "Chart.yaml") ?? path, line: 1, column: 1 } });
      return [];
    }
    case "Kustomize": {
      const { kustomize } = options;
      const extra = kustomize === undefined ? undefined : { kustomization: kustomize.changes, file: kustomize.file };
      return await renderKustomize(tree, path, problems, extra);
    }
    case "Directory":
      if ((await tree.list(path)).length === 0) {
        problems.push({
          path: "spec.source.path",
          message: `Folder "${shownFolder(path)}" does not exist in this revision: check the path`,
        });
        return [];
      }
      return await renderPlain(tree, path, options.directory ?? {}, problems);
  }
}
