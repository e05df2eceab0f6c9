import { AppError } from "#lib";
import { shownFolder } from "../tree-path.ts";
import type { YamlPath } from "../yaml-source.ts";

/** A step of a kustomization that cannot be done; caught by the builder and reported at the field that asked for it. */
export class KustomizeError extends AppError<"render/kustomize", { readonly path: YamlPath }> {
  constructor(message: string, path: YamlPath = []) {
    super("render/kustomize", message, { details: { path } });
  }
}

/** `file` is as the field names it, from `folder` on. */
export function missingFile(file: string, folder: string): string {
  return `file "${file}" does not exist in "${shownFolder(folder)}": add it to the commit, or remove the entry`;
}
