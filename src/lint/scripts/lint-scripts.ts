/**
 * Asks programs of others about the scripts of workflow files: a process for many scripts, each a file in a folder of its
 * own that is gone afterwards. They never see the repository, so a script cannot make them read anything else.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { errorMessage, runCommand, withDeadline } from "#lib";
import { readDocument } from "../document.ts";
import { LintError } from "../errors.ts";
import { noSettings, type Finding } from "../finding.ts";
import { applied, inOrder, isIgnored } from "../judgement.ts";
import { kindOf, type LintFile } from "../lint.ts";
import type { LintPolicy } from "../policy.ts";
import { pyflakes } from "./pyflakes.ts";
import { scalarPlaces } from "./scalar-places.ts";
import type { ScriptChecker, ScriptComment } from "./script-checker.ts";
import { shellcheck } from "./shellcheck.ts";
import { shellScripts, type ShellScript } from "./shell-scripts.ts";

export interface ScriptOptions {
  /** Where each is that is to be asked. */
  readonly programs: { readonly shellcheck?: string; readonly pyflakes?: string };
  /** Folders to find programs in, as in PATH: they may be scripts themselves. */
  readonly searchPath: string;
  readonly signal: AbortSignal;
  /** Of all scripts together, for each; default 2 minutes. */
  readonly timeoutMs?: number;
}

/** Its time grows faster than the script, and one this long belongs into a file of its own. */
const maxScriptLength = 64 * 1024;
const scriptsAtOnce = 50;

/** Sorted by file and place. Throws `lint/script-checker`. */
export async function lintScripts(
  files: readonly LintFile[],
  policy: LintPolicy,
  options: ScriptOptions,
): Promise<readonly Finding[]> {
  const scripts = files.flatMap((file) => {
    const kind = kindOf(file);
    const document = kind === undefined ? undefined : readDocument(file.path, kind, file.text).value;
    return document === undefined ? [] : shellScripts(document);
  });
  const found: Finding[] = [];
  for (const [checker, program] of [
    [shellcheck, options.programs.shellcheck],
    [pyflakes, options.programs.pyflakes],
  ] as const) {
    if (program !== undefined) found.push(...(await checkWith({ checker, program }, scripts, policy, options)));
  }
  return found.toSorted(inOrder);
}

interface Asked {
  readonly checker: ScriptChecker;
  readonly program: string;
}

async function checkWith(
  asked: Asked,
  all: readonly ShellScript[],
  policy: LintPolicy,
  options: ScriptOptions,
): Promise<readonly Finding[]> {
  const { rule, shells } = asked.checker;
  const settings = policy.rules.get(rule.name);
  if (settings?.severity === "off") return [];
  const scripts = all.filter(({ shell }) => shells.includes(shell));
  const short = scripts.filter(({ text }) => text.length <= maxScriptLength);
  const told = short.length === 0 ? [] : await askAll(asked, short, options);
  const long = scripts.filter((script) => !short.includes(script)).map((script) => tooLong(script, rule.name));
  return [...told, ...long]
    .filter(({ script, finding }) => !isIgnored(script.document, finding.rule, { at: finding }))
    .filter(({ code }) => !(settings ?? noSettings).allow.includes(code))
    .flatMap(({ finding }) => applied(finding, policy));
}

interface Told {
  readonly script: ShellScript;
  /** E.g. `SC2086`. */
  readonly code: string;
  readonly finding: Finding;
}

function tooLong(script: ShellScript, rule: string): Told {
  const { document, node, text } = script;
  const message = `This script is not checked: it has ${text.length} characters, and ${maxScriptLength} is the most. Keep it in a file of its own`;
  const finding = { rule, severity: "note", message, file: document.file, ...node.start } as const;
  return { script, code: "", finding };
}

async function askAll(asked: Asked, scripts: readonly ShellScript[], options: ScriptOptions): Promise<readonly Told[]> {
  const folder = await mkdtemp(join(tmpdir(), "tidegate-scripts-"));
  const signal = withDeadline(options.signal, options.timeoutMs ?? 120_000);
  try {
    const batches = asked.checker.shells.flatMap((shell) =>
      inBatches(scripts.filter((script) => script.shell === shell)),
    );
    const told: Told[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < batches.length; at = next++) {
        told.push(...(await ask(asked, batches[at] ?? [], join(folder, `${at}-`), { ...options, signal })));
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: availableParallelism() }, work));
    const failure = ends.find((end) => end.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    return told;
  } catch (cause) {
    options.signal.throwIfAborted();
    const found = signal.aborted ? "it took too long" : errorMessage(cause);
    const message = `Cannot check scripts with "${asked.program}": ${found}. Turn it off with --${asked.checker.rule.name}=`;
    throw new LintError("lint/script-checker", message, { cause });
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
  { checker, program }: Asked,
  scripts: readonly ShellScript[],
  prefix: string,
  { searchPath, signal }: ScriptOptions,
): Promise<readonly Told[]> {
  const names = scripts.map((_, at) => `${prefix}${at}`);
  const shell = scripts[0]?.shell ?? "bash";
  const prologue = checker.prologue(shell);
  const before = prologue === undefined ? [] : [prologue];
  await Promise.all(scripts.map((script, at) => writeFile(names[at] ?? "", [...before, script.text, ""].join("\n"))));
  const [file, args] = checker.command(program, shell, names);
  // Without a locale of UTF-8 some cannot write what they read.
  const result = await runCommand(file, args, { env: { PATH: searchPath, LC_ALL: "C.UTF-8" }, signal });
  const byName = new Map(names.map((name, at) => [name, scripts[at]]));
  return checker.read(result).flatMap((comment) => {
    const script = byName.get(comment.file);
    return script === undefined ? [] : [told(checker.rule.name, script, comment, before.length)];
  });
}

function told(rule: string, script: ShellScript, comment: ScriptComment, linesBefore: number): Told {
  const { document, node, text } = script;
  const place = scalarPlaces(document.lines, node)(offsetOf(text, comment.line - linesBefore, comment));
  const { severity, message, code } = comment;
  return { script, code, finding: { rule, severity, message, file: document.file, ...place } };
}

/** `line` from 1; one before the script is about how it begins, one behind it about how it ends. */
function offsetOf(text: string, line: number, { column, columnsAre }: ScriptComment): number {
  if (line < 1) return 0;
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  const own = lines[line - 1] ?? "";
  const within =
    columnsAre === "bytes"
      ? Buffer.from(own)
          .subarray(0, column - 1)
          .toString("utf8")
      : Array.from(own)
          .slice(0, column - 1)
          .join("");
  return Math.min(before + within.length, text.length);
}
