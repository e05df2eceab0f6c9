/** `pyflakes`, over scripts of Python. */
import { pyflakesRule } from "../all-rules.ts";
import type { ScriptChecker, ScriptComment } from "./script-checker.ts";

export const pyflakes: ScriptChecker = {
  rule: pyflakesRule,
  shells: ["python"],
  prologue: () => undefined,
  // It says of a script that it cannot read on the other output, and much at a time.
  command: (program, _shell, files) => ["/bin/sh", ["-c", 'exec "$0" "$@" 2>&1', program, ...files]],
  read({ exitCode, stdout }) {
    const text = stdout.toString("utf8");
    const lines = text.split("\n");
    const comments = lines.map(readLine).filter((comment) => comment !== undefined);
    if (exitCode > 1 || (exitCode === 1 && comments.length === 0)) {
      throw new Error(`it ended with ${exitCode}: ${text.trim().slice(-1000)}`);
    }
    // A name that stands where an expression was.
    return comments.filter(({ message }) => !/^undefined name '_{6,}'$/.test(message));
  },
};

/** `<file>:<line>:<column>: <message>`; what it cannot read it quotes below, and that is passed over. */
function readLine(text: string): ScriptComment | undefined {
  const found = /^(\/.*?):(\d+):(\d+):? (.*)$/.exec(text);
  if (found === null) return undefined;
  const [, file = "", line = "", column = "", message = ""] = found;
  const place = { file, line: Number(line), column: Number(column), columnsAre: "bytes" } as const;
  return { ...place, severity: pyflakesRule.severity, code: "", message };
}
