/** How each `shell:` runs a script: pure, but for the question which programs are there. */
import { StepFailure } from "../errors.ts";

export interface ShellPlan {
  readonly program: string;
  readonly args: readonly string[];
  readonly extension: string;
  /** The script as it is written to the file. */
  readonly script: string;
}

interface ShellRow {
  readonly command: string;
  readonly extension: string;
}

const shells: Readonly<Record<string, ShellRow>> = {
  bash: { command: "bash --noprofile --norc -e -o pipefail {0}", extension: ".sh" },
  sh: { command: "sh -e {0}", extension: ".sh" },
  python: { command: "python {0}", extension: ".py" },
  pwsh: { command: `pwsh -command ". '{0}'"`, extension: ".ps1" },
  powershell: { command: `powershell -command ". '{0}'"`, extension: ".ps1" },
  cmd: { command: `cmd /D /E:ON /V:OFF /S /C "CALL "{0}""`, extension: ".cmd" },
};

/**
 * @param shell as written; undefined means `bash -e`, or `sh -e` where there is no bash
 * @param scriptPath the path without extension
 * @param has whether a program is on the step's PATH
 */
export function planShell(
  shell: string | undefined,
  script: string,
  scriptPath: string,
  has: (program: string) => boolean,
): ShellPlan {
  if (shell === undefined || shell.trim() === "") {
    const program = has("bash") ? "bash" : "sh";
    return { program, args: ["-e", `${scriptPath}.sh`], extension: ".sh", script };
  }
  const row = shells[shell.trim().toLowerCase()];
  if (row === undefined && !shell.includes("{0}")) {
    const known = Object.keys(shells).join(", ");
    throw new StepFailure(`Invalid shell "${shell}": use one of ${known}, or a command line that contains {0}`);
  }
  const extension = row?.extension ?? "";
  const words = splitCommandLine(row?.command ?? shell);
  const [program = "sh", ...rest] = words.map((word) => word.replaceAll("{0}", `${scriptPath}${extension}`));
  if (program === "python" && !has("python") && has("python3")) {
    return { program: "python3", args: rest, extension, script };
  }
  if (!has(program)) {
    throw new StepFailure(
      `Shell "${program}" was not found on PATH: install it where the runner runs, or name another shell`,
    );
  }
  return { program, args: rest, extension, script: fixedScript(extension, script) };
}

/** PowerShell must stop at the first error and hand on the exit code of the last program. */
function fixedScript(extension: string, script: string): string {
  if (extension === ".ps1") {
    const tail = "if ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }";
    return `$ErrorActionPreference = 'stop'\n${script}\n${tail}`;
  }
  return extension === ".cmd" ? `@echo off\n${script}` : script;
}

/** Words by white space; double quotes hold a word together and are dropped. */
export function splitCommandLine(line: string): string[] {
  const words: string[] = [];
  for (const [, quoted, bare] of line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)) words.push(quoted ?? bare ?? "");
  return words;
}

/** The command line as people see it at the head of a step's log. */
export function shellText(plan: ShellPlan, scriptPath: string): string {
  return [plan.program, ...plan.args].join(" ").replaceAll(`${scriptPath}${plan.extension}`, "{0}");
}
