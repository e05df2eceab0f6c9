/**
 * Asks `shellcheck` about the scripts of workflow files: a process for many scripts, each a file in a folder of its own
 * that is gone afterwards. It never sees the repository, so a script cannot make it read anything else.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { errorMessage, isObject, runCommand, withDeadline } from "#lib";
import { shellcheckRule } from "../all-rules.ts";
import { readDocument } from "../document.ts";
import { LintError } from "../errors.ts";
import { noSettings, type Finding, type Severity } from "../finding.ts";
import { applied, inOrder, isIgnored } from "../judgement.ts";
import { kindOf, type LintFile } from "../lint.ts";
import type { LintPolicy } from "../policy.ts";
import { scalarPlaces } from "./scalar-places.ts";
import { shellScripts, type ShellScript } from "./shell-scripts.ts";

export interface ShellcheckOptions {
  /** Where the program is. */
  readonly program: string;
  /** Folders to find programs in, as in PATH: it may be a script itself. */
  readonly searchPath: string;
  readonly signal: AbortSignal;
  /** Of all scripts together; default 2 minutes. */
  readonly timeoutMs?: number;
}

/** Its time grows faster than the script, and one this long belongs into a file of its own. */
const maxScriptLength = 64 * 1024;
const scriptsAtOnce = 50;

/**
 * What it says of many people's scripts, and cannot know of ours: files that are there when the job runs (1091),
 * variables that the job sets (2154), and words that are constant because an expression was there (2043, 2050, 2157,
 * 2194).
 */
const leftOut = ["SC1091", "SC2043", "SC2050", "SC2154", "SC2157", "SC2194"];

/** How the runner starts either shell: `cd` without `|| exit` is right then. Its line is one more than the script has. */
const prologues = { bash: "set -eo pipefail", sh: "set -e" } as const;

/** Sorted by file and place. Throws `lint/shellcheck`. */
export async function lintScripts(
  files: readonly LintFile[],
  policy: LintPolicy,
  options: ShellcheckOptions,
): Promise<readonly Finding[]> {
  if (policy.rules.get(shellcheckRule.name)?.severity === "off") return [];
  const scripts = files.flatMap((file) => {
    const kind = kindOf(file);
    const document = kind === undefined ? undefined : readDocument(file.path, kind, file.text).value;
    return document === undefined ? [] : shellScripts(document);
  });
  const short = scripts.filter(({ text }) => text.length <= maxScriptLength);
  const told = short.length === 0 ? [] : await askAll(short, options);
  const long = scripts.filter((script) => !short.includes(script)).map(tooLong);
  return [...told, ...long]
    .filter(({ script, finding }) => !isIgnored(script.document, finding))
    .filter(({ code }) => !(policy.rules.get(shellcheckRule.name) ?? noSettings).allow.includes(code))
    .flatMap(({ finding }) => applied(finding, policy))
    .toSorted(inOrder);
}

interface Told {
  readonly script: ShellScript;
  /** E.g. `SC2086`. */
  readonly code: string;
  readonly finding: Finding;
}

function tooLong(script: ShellScript): Told {
  const { document, node, text } = script;
  const message = `This script is not checked: it has ${text.length} characters, and ${maxScriptLength} is the most. Keep it in a file of its own`;
  const finding = { rule: shellcheckRule.name, severity: "note", message, file: document.file, ...node.start } as const;
  return { script, code: "", finding };
}

async function askAll(scripts: readonly ShellScript[], options: ShellcheckOptions): Promise<readonly Told[]> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-scripts-"));
  const signal = withDeadline(options.signal, options.timeoutMs ?? 120_000);
  try {
    const batches = (["bash", "sh"] as const).flatMap((shell) =>
      inBatches(scripts.filter((script) => script.shell === shell)),
    );
    const told: Told[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < batches.length; at = next++) {
        told.push(...(await ask(batches[at] ?? [], join(folder, `${at}-`), { ...options, signal })));
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: availableParallelism() }, work));
    const failure = ends.find((end) => end.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    return told;
  } catch (cause) {
    options.signal.throwIfAborted();
    const found = signal.aborted ? "it took too long" : errorMessage(cause);
    const message = `Cannot check scripts with "${options.program}": ${found}. Turn it off with --shellcheck=`;
    throw new LintError("lint/shellcheck", message, { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inBatches(scripts: readonly ShellScript[]): readonly (readonly ShellScript[])[] {
  const size = Math.min(scriptsAtOnce, Math.max(1, Math.ceil(scripts.length / availableParallelism())));
  return Array.from({ length: Math.ceil(scripts.length / size) }, (_, at) => scripts.slice(at * size, (at + 1) * size));
}

/** Scripts of one shell, in files whose names begin with `prefix`. */
async function ask(
  scripts: readonly ShellScript[],
  prefix: string,
  { program, searchPath, signal }: ShellcheckOptions,
): Promise<readonly Told[]> {
  const names = scripts.map((_, at) => `${prefix}${at}`);
  const shell = scripts[0]?.shell ?? "bash";
  await Promise.all(scripts.map((script, at) => writeFile(names[at] ?? "", `${prologues[shell]}\n${script.text}\n`)));
  const flags = ["--norc", "--format=json1", `--shell=${shell}`, `--exclude=${leftOut.join(",")}`];
  // Without a locale of UTF-8 it cannot write what it read.
  const env = { PATH: searchPath, LC_ALL: "C.UTF-8" };
  const { exitCode, stdout, stderr } = await runCommand(program, [...flags, "--", ...names], { env, signal });
  // 1: it has found something.
  if (exitCode > 1) throw new Error(`it ended with ${exitCode}: ${(stderr || stdout.toString("utf8")).trim()}`);
  const byName = new Map(names.map((name, at) => [name, scripts[at]]));
  return readComments(stdout.toString("utf8")).flatMap((comment) => {
    const script = byName.get(comment.file);
    return script === undefined ? [] : [told(script, comment)];
  });
}

interface Comment {
  readonly file: string;
  /** From 1, in the file that was checked. */
  readonly line: number;
  /** From 1, in code points. */
  readonly column: number;
  readonly level: string;
  readonly code: number;
  readonly message: string;
}

function readComments(text: string): readonly Comment[] {
  const answer: unknown = JSON.parse(text);
  const comments = isObject(answer) ? answer["comments"] : undefined;
  if (!Array.isArray(comments)) throw new Error("it did not answer with comments: shellcheck 0.7 or newer is needed");
  return comments as readonly Comment[];
}

const severities: Readonly<Record<string, Severity>> = { error: "error", warning: "warning" };

function told(script: ShellScript, { line, column, level, code, message }: Comment): Told {
  const { document, node, text } = script;
  const place = scalarPlaces(document.lines, node)(offsetOf(text, line - 1, column));
  const words = `SC${code}: ${message.replace(/\.$/, "")}`;
  const severity = severities[level] ?? "note";
  const finding = { rule: shellcheckRule.name, severity, message: words, file: document.file, ...place };
  return { script, code: `SC${code}`, finding };
}

/** `line` from 1; one before the script is about how it begins, one behind it about how it ends. */
function offsetOf(text: string, line: number, column: number): number {
  if (line < 1) return 0;
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const points = Array.from(lines[line - 1] ?? "")
    .slice(0, column - 1)
    .join("").length;
  return Math.min(before + points, text.length);
}
