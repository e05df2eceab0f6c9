/** What `uses:` stands for. */
import { readFileIfExists, joinInside } from "#lib";
import { join } from "node:path";
import { StepFailure } from "../errors.ts";
import type { ActionPlace } from "../steps/scope.ts";
import type { BuiltinAction } from "./builtin-action.ts";
import { parseActionManifest, type ActionManifest } from "./manifest.ts";
import { builtinNames, findBuiltin } from "./registry-of-builtins.ts";

export type Action =
  | { readonly kind: "builtin"; readonly builtin: BuiltinAction; readonly place: ActionPlace }
  | {
      readonly kind: "files";
      readonly manifest: ActionManifest;
      readonly folder: string;
      readonly place: ActionPlace;
    };

/** Why `uses` can never run here, known before the job starts; undefined when it may. */
export function refuseUses(uses: string): string | undefined {
  if (uses.startsWith("./") || findBuiltin(uses) !== undefined) return undefined;
  if (uses.startsWith("docker://")) {
    return `Unable to use "${uses}": this runner starts no containers. Use a script, a local action (./path) or one of ${builtinNames.join(", ")}`;
  }
  return `Unable to resolve action "${uses}": this runner fetches no actions from elsewhere. Offered are ${builtinNames.join(", ")}, and actions of your own repository (./path)`;
}

/** @param name the value of `github.action` */
export async function resolveAction(uses: string, name: string, workspace: string): Promise<Action> {
  const refusal = refuseUses(uses);
  if (refusal !== undefined) throw new StepFailure(refusal);
  const builtin = findBuiltin(uses);
  if (builtin !== undefined) {
    const [repository = "", ref = ""] = uses.split("@");
    return { kind: "builtin", builtin, place: { name, repository, ref } };
  }
  const folder = joinInside(workspace, uses);
  if (folder === undefined) throw new StepFailure(`Action "${uses}" is outside the workspace: use a path below it`);
  for (const file of ["action.yml", "action.yaml"]) {
    const text = await readFileIfExists(join(folder, file));
    if (text === undefined) continue;
    const manifest = parseActionManifest(text, `${uses}/${file}`);
    return { kind: "files", manifest, folder, place: { name, path: folder } };
  }
  throw new StepFailure(
    `Can't find "action.yml" or "action.yaml" under "${uses}": did you forget to run actions/checkout before this step?`,
  );
}
