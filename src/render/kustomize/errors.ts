import { AppError } from "#lib";
import type { YamlPath } from "../yaml-source.ts";

/** A step of a kustomization that cannot be done; caught by the builder and reported at the field that asked for it. */
export class KustomizeError extends AppError<"render/kustomize", { readonly path: YamlPath }> {
  constructor(message: string, path: YamlPath = []) {
    super("render/kustomize", message, { details: { path } });
  }
}
