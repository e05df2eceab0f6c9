/** A program of others that reads scripts: how it is asked, and what its answer means. */
import type { CommandResult } from "#lib";
import type { Severity } from "../finding.ts";
import type { Shell } from "./shell-scripts.ts";

export interface ScriptChecker {
  readonly rule: { readonly name: string; readonly severity: Severity };
  readonly shells: readonly Shell[];
  /** The line that stands before a script when it is asked, if any. */
  prologue(shell: Shell): string | undefined;
  /** Program and arguments; `program` is where it is. */
  command(program: string, shell: Shell, files: readonly string[]): readonly [string, readonly string[]];
  /** Throws when it is no answer. */
  read(result: CommandResult): readonly ScriptComment[];
}

export interface ScriptComment {
  readonly file: string;
  /** Both from 1, in the file as it was asked about. */
  readonly line: number;
  readonly column: number;
  readonly columnsAre: "code points" | "bytes";
  readonly severity: Severity;
  /** E.g. `SC2086`, which a policy may allow; empty when it has none. */
  readonly code: string;
  readonly message: string;
}
