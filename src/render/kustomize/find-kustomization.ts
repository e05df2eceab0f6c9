import type { FileTree } from "../ports.ts";
import { joinTreePath } from "../tree-path.ts";
import { kustomizationFileNames } from "./kustomization.ts";

/** The kustomization file of a folder, if it has one. */
export async function findKustomization(tree: FileTree, folder: string): Promise<string | undefined> {
  const names = new Set((await tree.list(folder)).filter(({ type }) => type === "file").map(({ name }) => name));
  const name = kustomizationFileNames.find((candidate) => names.has(candidate));
  return name === undefined ? undefined : joinTreePath(folder, name);
}
