/** `shellcheck`, over scripts of bash and sh. */
import { isObject } from "#lib";
import { shellcheckRule } from "../all-rules.ts";
import type { Severity } from "../finding.ts";
import type { ScriptChecker, ScriptComment } from "./script-checker.ts";

/**
 * What it says of many people's scripts, and cannot know of ours: files that are there when the job runs (1091),
 * variables that the job sets (2154), and words that are constant because an expression was there (2043, 2050, 2157,
 * 2194).
 */
const leftOut = ["SC1091", "SC2043", "SC2050", "SC2154", "SC2157", "SC2194"];

export const shellcheck: ScriptChecker = {
  rule: shellcheckRule,
  shells: ["bash", "sh"],
  /** How the runner starts either shell: `cd` without `|| exit` is right then. */
  prologue: (shell) => (shell === "bash" ? "set -eo pipefail" : "set -e"),
  command: (program, shell, files) => [
    program,
    ["--norc", "--format=json1", `--shell=${shell}`, `--exclude=${leftOut.join(",")}`, "--", ...files],
  ],
  read({ exitCode, stdout, stderr }) {
    const text = stdout.toString("utf8");
    // 1: it has found something.
    if (exitCode > 1) throw new Error(`it ended with ${exitCode}: ${(stderr || text).trim()}`);
    const answer: unknown = JSON.parse(text);
    const comments = isObject(answer) ? answer["comments"] : undefined;
    if (!Array.isArray(comments)) throw new Error("it did not answer with comments: shellcheck 0.7 or newer is needed");
    return (comments as readonly Comment[]).map(asComment);
  },
};

interface Comment {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly level: string;
  readonly code: number;
  readonly message: string;
}

const severities: Readonly<Record<string, Severity>> = { error: "error", warning: "warning" };

function asComment({ file, line, column, level, code, message }: Comment): ScriptComment {
  const words = `SC${code}: ${message.replace(/\.$/, "")}`;
  const place = { file, line, column, columnsAre: "code points" } as const;
  return { ...place, severity: severities[level] ?? "note", code: `SC${code}`, message: words };
}
