/** What `uses:` stands for. */
import { readFileIfExists, joinInside } from "#lib";
import { parseActionReference, type ActionArchive } from "#workflows";
import { join } from "node:path";
import { StepFailure } from "../errors.ts";
import type { ActionPlace, Scope } from "../steps/scope.ts";
import type { BuiltinAction } from "./builtin-action.ts";
import { parseActionManifest, type ActionManifest } from "./manifest.ts";
import { findBuiltin } from "./registry-of-builtins.ts";

export type Action =
  /** `docker://image`. */
  | { readonly kind: "image"; readonly place: ActionPlace }
  | { readonly kind: "builtin"; readonly builtin: BuiltinAction; readonly place: ActionPlace }
  | {
      readonly kind: "files";
      readonly manifest: ActionManifest;
      readonly folder: string;
      readonly place: ActionPlace;
      /** Undefined for what lies in the workspace. */
      readonly archive?: ActionArchive;
    };

/** Whether the job's own files have it, which may come only with a step before it. */
export function isLocal(uses: string): boolean {
  return uses.startsWith("./");
}

/** A container of nothing but an image. */
export function isImage(uses: string): boolean {
  return uses.startsWith("docker://");
}

/** Found, and its files here. A composite action's own steps are resolved in its scope. */
export async function resolveAction(uses: string, scope: Scope, stop: AbortSignal): Promise<Action> {
  const { parts } = scope.job;
  const { name, root } = scope.place;
  if (isImage(uses)) return { kind: "image", place: { name } };
  if (isLocal(uses)) {
    const folder = inside(parts.folders.workspace, uses, uses);
    const hint = "did you forget to run actions/checkout before this step?";
    return { kind: "files", ...(await readManifest(folder, uses, hint)), folder, place: { name, path: folder } };
  }
  // Of the repository that the action around it came from; in the job itself, of the workflow's.
  if (uses.startsWith("$/") && root !== undefined) {
    const folder = inside(root, uses.slice(2), uses);
    return { kind: "files", ...(await readManifest(folder, uses)), folder, place: { ...scope.place, path: folder } };
  }
  const [obtained] = await parts.actions.obtain([uses], stop);
  if (obtained === undefined || obtained.kind === "refused") {
    throw new StepFailure(obtained?.message ?? `Cannot use "${uses}": nobody knows it`);
  }
  const { repository = uses.split("@")[0] ?? "", ref = "", path = uses.slice(2) } = parseActionReference(uses) ?? {};
  if (obtained.kind === "built-in") {
    const builtin = findBuiltin(uses);
    if (builtin === undefined) throw new StepFailure(`Cannot use "${uses}": this runner has no such built-in`);
    return { kind: "builtin", builtin, place: { name, repository, ref } };
  }
  const { archive } = obtained;
  const folder = inside(obtained.root, path, uses);
  const from = uses.startsWith("$/") ? { repository: archive.repository, ref: archive.sha } : { repository, ref };
  const place = { name, path: folder, root: obtained.root, ...from };
  return { kind: "files", ...(await readManifest(folder, uses)), folder, place, archive };
}

function inside(root: string, path: string, uses: string): string {
  const folder = joinInside(root, path);
  if (folder === undefined) throw new StepFailure(`Action "${uses}" is outside its repository: use a path below it`);
  return folder;
}

async function readManifest(
  folder: string,
  uses: string,
  hint?: string,
): Promise<{ readonly manifest: ActionManifest }> {
  for (const file of ["action.yml", "action.yaml"]) {
    const text = await readFileIfExists(join(folder, file));
    if (text !== undefined) return { manifest: parseActionManifest(text, `${uses}/${file}`) };
  }
  const found = `Can't find "action.yml" or "action.yaml" under "${uses}"`;
  throw new StepFailure(hint === undefined ? found : `${found}: ${hint}`);
}
