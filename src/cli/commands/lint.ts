import { opendir, readFile, stat } from "node:fs/promises";
import { basename, isAbsolute, join, relative, resolve } from "node:path";
import { type Command, Option } from "commander";
import { errorCode, findProgram, formatProblems, hasErrors, readFileIfExists } from "#lib";
import {
  allRules,
  defaultPolicy,
  type Finding,
  inOrder,
  isLintedPath,
  type LintFile,
  lintFiles,
  lintScripts,
  type LintPolicy,
  policyPath,
  policyPaths,
  readPolicies,
  pyflakesRule,
  type ScriptOptions,
  severityRank,
  shellcheckRule,
  toSarif,
} from "#lint";
import { readConfig, version } from "#server";
import { command, type GlobalOptions } from "../command.ts";
import { CliError } from "../errors.ts";
import { paint, print, printJson, table } from "../output.ts";

interface LintOptions extends GlobalOptions {
  readonly format: "text" | "json" | "sarif";
  readonly failOn: "error" | "warning" | "note" | "never";
  readonly pedantic?: boolean;
  readonly policy?: string;
  readonly rules?: boolean;
  readonly shellcheck?: string;
  readonly pyflakes?: string;
}

export function lintCommand(): Command {
  return command("lint", "Look for what is dangerous or mistaken in workflow files; needs no server", [
    "tidegate lint",
    "tidegate lint --format sarif > lint.sarif",
    "tidegate lint .github/workflows/release.yml --pedantic --fail-on note",
    "tidegate lint --rules",
  ])
    .argument("[paths...]", "folders of repositories, or single files (default: this folder)")
    .addOption(new Option("--format <format>", "what to print").choices(["text", "json", "sarif"]).default("text"))
    .addOption(
      new Option("--fail-on <severity>", "exit with 1 when there is something as bad")
        .choices(["error", "warning", "note", "never"])
        .default("error"),
    )
    .option("--pedantic", "show what is right and noisy for most too")
    .option("--policy <file>", `the policy, rather than ${policyPath} of the folder`)
    .option(
      "--shellcheck <program>",
      'what checks scripts for bash and sh; "--shellcheck=" lets it be (default: "shellcheck", where it is installed)',
    )
    .option("--pyflakes <program>", 'the same for Python (default: "pyflakes", where it is installed)')
    .option("--rules", "list the rules and end")
    .action(lint);
}

async function lint(paths: readonly string[], options: LintOptions): Promise<void> {
  if (options.rules === true) {
    listRules(options);
    return;
  }
  const places = await Promise.all((paths.length === 0 ? ["."] : paths).map((path) => readPlace(path)));
  const policies = await Promise.all(places.map((place) => policyOf(place, options)));
  const scriptsBy = scriptOptions(options);
  const found = await Promise.all(
    places.map(async (place, index) => await lintPlace(place, policies[index] ?? defaultPolicy, options, scriptsBy)),
  );
  const findings = found.flat();
  const files = places.reduce((sum, place) => sum + place.files.length, 0);
  if (options.json === true || options.format === "json") printJson(findings);
  else if (options.format === "sarif") printJson(toSarif(findings, version()));
  else printText(findings, files);
  const { failOn } = options;
  if (failOn === "never") return;
  if (findings.some((finding) => severityRank(finding.severity) >= severityRank(failOn))) process.exitCode = 1;
}

interface Place {
  /** As it was given. */
  readonly path: string;
  /** Folder that paths of files are relative to. */
  readonly folder: string;
  readonly files: readonly LintFile[];
  /** Whether these are all of a repository, rather than one that was named. */
  readonly isWhole: boolean;
}

async function readPlace(path: string): Promise<Place> {
  const found = await stat(path).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT")
      throw new CliError("cli/usage", `Cannot lint "${path}": there is no such file or folder`);
    throw error;
  });
  if (!found.isDirectory()) {
    const text = await readText(path);
    const files: readonly LintFile[] = [isLintedPath(path) ? { path, text } : { path, text, kind: "workflow" }];
    return { path, folder: ".", files, isWhole: false };
  }
  const names = await lintedPaths(path);
  const files = await Promise.all(names.map(async (name) => ({ path: name, text: await readText(join(path, name)) })));
  if (files.length > 0) return { path, folder: path, files, isWhole: true };
  throw new CliError(
    "cli/usage",
    `Nothing to lint in "${path}": no workflow in .github/workflows or .forgejo/workflows. Name the repository's folder`,
  );
}

/** Far above any workflow; what is over the reader's own limit is a finding. */
const maxFileBytes = 8 * 1024 * 1024;

async function readText(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > maxFileBytes) {
    throw new CliError("cli/usage", `Cannot lint "${path}": it has ${size} bytes, and ${maxFileBytes} is the most`);
  }
  return await readFile(path, "utf8");
}

const passedOver: ReadonlySet<string> = new Set(["node_modules", ".git", "vendor", "dist"]);
const hiddenLooked: ReadonlySet<string> = new Set([".github", ".forgejo", ".gitea"]);

async function lintedPaths(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  const open = [""];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for await (const entry of await opendir(join(root, folder))) {
      const path = join(folder, entry.name);
      if (entry.isFile() && isLintedPath(path)) found.push(path);
      if (!entry.isDirectory() || passedOver.has(entry.name)) continue;
      if (!entry.name.startsWith(".") || hiddenLooked.has(entry.name)) open.push(path);
    }
  }
  return found.toSorted();
}

/** What the repository says in its files, unless another file is named. */
async function policyOf(place: Place, options: LintOptions): Promise<LintPolicy> {
  const texts = options.policy === undefined ? await policyTexts(place.folder) : await namedPolicy(options.policy);
  const { value, problems } = readPolicies(texts);
  if (hasErrors(problems)) throw new CliError("cli/usage", `Policy is wrong:\n${formatProblems(problems)}`);
  return value;
}

async function policyTexts(folder: string): Promise<ReadonlyMap<string, string>> {
  const read = await Promise.all(policyPaths.map(async (path) => await readFileIfExists(join(folder, path))));
  return new Map(policyPaths.flatMap((path, at) => (read[at] === undefined ? [] : [[path, read[at]] as const])));
}

async function namedPolicy(file: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFileIfExists(file);
  if (text === undefined) throw new CliError("cli/usage", `Cannot read policy "${file}": there is no such file`);
  const name = basename(file);
  const asFile = policyPaths.find((path) => path !== policyPath && basename(path) === name) ?? policyPath;
  return new Map([[asFile, text]]);
}

function scriptOptions(options: LintOptions): ScriptOptions {
  const searchPath = readConfig().hostPath;
  const [shellcheck, pyflakes] = [
    programOf("shellcheck", options.shellcheck, searchPath),
    programOf("pyflakes", options.pyflakes, searchPath),
  ];
  const programs = {
    ...(shellcheck === undefined ? {} : { shellcheck }),
    ...(pyflakes === undefined ? {} : { pyflakes }),
  };
  return { programs, searchPath, signal: new AbortController().signal };
}

/** Undefined: it is not asked. */
function programOf(usual: string, said: string | undefined, searchPath: string): string | undefined {
  if (said === "") return undefined;
  const program = findProgram(said ?? usual, searchPath, process.cwd());
  if (program !== undefined || said === undefined) return program;
  throw new CliError("cli/usage", `Cannot check scripts with "${said}": there is no such program`);
}

async function lintPlace(
  place: Place,
  policy: LintPolicy,
  options: LintOptions,
  scriptsBy: ScriptOptions,
): Promise<readonly Finding[]> {
  const whole = { ...policy, pedantic: options.pedantic ?? policy.pedantic };
  const scripts = await lintScripts(place.files, whole, scriptsBy);
  const findings = [...lintFiles(place.files, whole, { isWhole: place.isWhole }), ...scripts].toSorted(inOrder);
  // Paths are clickable from here, but stay those of the repository in its own folder.
  if (place.folder === "." || isAbsolute(place.folder)) return findings;
  return findings.map((finding) => ({ ...finding, file: relative(".", resolve(place.folder, finding.file)) }));
}

const colours = { error: "red", warning: "yellow", note: "cyan" } as const;

function printText(findings: readonly Finding[], files: number): void {
  for (const { file, line, column, severity, message, rule } of findings) {
    const place = paint(`${file}:${line}:${column}:`, "bold");
    print(`${place} ${paint(severity, colours[severity])}: ${message} ${paint(`[${rule}]`, "dim")}`);
  }
  const counts = (["error", "warning", "note"] as const).map((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    return `${count} ${severity}${count === 1 ? "" : "s"}`;
  });
  print(`${files} ${files === 1 ? "file" : "files"}: ${findings.length === 0 ? "nothing found" : counts.join(", ")}`);
}

function listRules(options: LintOptions): void {
  const known = [...allRules, { ...shellcheckRule, pedantic: false }, { ...pyflakesRule, pedantic: false }];
  const rules = known.map(({ name, severity, pedantic = false, summary }) => ({ name, severity, pedantic, summary }));
  if (options.json === true || options.format === "json") printJson(rules);
  else {
    const rows = rules.map((rule) => [
      rule.name,
      rule.pedantic ? `${rule.severity}, pedantic` : rule.severity,
      rule.summary,
    ]);
    print(table(["rule", "severity", "finds"], rows));
  }
}
