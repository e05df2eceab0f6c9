/** Problem matchers of tools that an action of ours sets up. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ActionCall } from "../builtin-action.ts";

export interface MatcherPattern {
  readonly regexp: string;
  readonly file?: number;
  readonly line?: number;
  readonly column?: number;
  readonly severity?: number;
  readonly message?: number;
  readonly code?: number;
  /** The last pattern fits again and again. */
  readonly loop?: boolean;
}

/** Says the workflow command that an action of files would print. */
export function addMatcher(call: ActionCall, owner: string, pattern: readonly MatcherPattern[]): void {
  const file = join(call.parts.folders.temp, `${owner}-matcher.json`);
  writeFileSync(file, JSON.stringify({ problemMatcher: [{ owner, pattern }] }));
  const { output, outputs, state } = call.step;
  output.line(`##[add-matcher]${file}`, {
    setOutput: (name, value) => void outputs.set(name, value),
    saveState: (name, value) => void state.set(name, value),
  });
  output.flush();
}
