/** The actions we bring ourselves, for work without a network. */
import type { BuiltinAction } from "./builtin-action.ts";
import { checkout } from "./builtin/checkout.ts";
import { setupBuildx, setupQemu } from "./builtin/noop.ts";

const actions: readonly BuiltinAction[] = [checkout, setupBuildx, setupQemu];

export const builtinNames: readonly string[] = actions.map((action) => action.name);

/** By `owner/repository` at any version; a path inside the repository is another action. */
export function findBuiltin(uses: string): BuiltinAction | undefined {
  const [name = ""] = uses.split("@");
  return actions.find((action) => action.name === name.toLowerCase());
}
