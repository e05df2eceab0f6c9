import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { planShell, splitCommandLine } from "./shell.ts";

const rows: readonly [string | undefined, readonly string[], readonly string[]][] = [
  [undefined, ["bash", "sh"], ["bash", "-e", "/t/1.sh"]],
  [undefined, ["sh"], ["sh", "-e", "/t/1.sh"]],
  ["bash", ["bash"], ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "/t/1.sh"]],
  ["sh", ["sh"], ["sh", "-e", "/t/1.sh"]],
  ["python", ["python"], ["python", "/t/1.py"]],
  ["python", ["python3"], ["python3", "/t/1.py"]],
  ["pwsh", ["pwsh"], ["pwsh", "-command", ". '/t/1.ps1'"]],
  ["perl -w {0} 'x'", ["perl"], ["perl", "-w", "/t/1", "'x'"]],
];
for (const [shell, there, want] of rows) {
  test(`shell ${shell ?? "unset"} with ${there.join(" and ")} runs ${want.join(" ")}`, () => {
    const plan = planShell(shell, "script", "/t/1", (program) => there.includes(program));
    deepEqual([plan.program, ...plan.args], want);
  });
}

test("PowerShell stops at errors and hands on the exit code", () => {
  const { script } = planShell("pwsh", "x", "/t/1", () => true);
  deepEqual(script.split("\n").length, 3);
});

test("a shell that is unknown or not there is refused with what to do", () => {
  throws(() => planShell("fish", "", "/t/1", () => true), /Invalid shell "fish": use one of bash, sh/);
  throws(() => planShell("pwsh", "", "/t/1", () => false), /Shell "pwsh" was not found on PATH/);
});

test("a command line keeps quoted words together", () => {
  deepEqual(splitCommandLine('a "b c" d'), ["a", "b c", "d"]);
});
