import type { ActionCall } from "../builtin-action.ts";
import type { GlobOptions } from "./glob.ts";

/** Where the patterns of a step's inputs begin. */
export function patternPlace(call: ActionCall): Pick<GlobOptions, "cwd" | "home" | "signal"> {
  return { cwd: call.parts.folders.workspace, home: call.env("HOME"), signal: call.step.stop };
}
