/** Files in, findings out. Pure. */
import { posix } from "node:path";
import type { Checked, Problem } from "#lib";
import { parseWorkflowFile, type Workflow, type WorkflowText } from "#workflows";
import { allRules, syntaxRule } from "./all-rules.ts";
import { documentKind, readDocument, type LintDocument, type Project } from "./document.ts";
import { noSettings, severityRank, type DocumentKind, type Finding, type Found, type Rule } from "./finding.ts";
import { applied, inOrder, isIgnored } from "./judgement.ts";
import { policyPath, type LintPolicy } from "./policy.ts";

export interface LintFile extends WorkflowText {
  /** Told by the path unless said. */
  readonly kind?: DocumentKind;
}

export function kindOf(file: LintFile): DocumentKind | undefined {
  return file.kind ?? documentKind(file.path);
}

/** Whether the linter looks at this path, the policy itself apart. */
export function isLintedPath(path: string): boolean {
  return documentKind(path) !== undefined;
}

/** `isWhole`: these are all files of the repository that the linter looks at. */
export interface LintScope {
  readonly isWhole: boolean;
}

/** Sorted by file and place. Files that are not for the linter are passed over. */
export function lintFiles(
  files: readonly LintFile[],
  policy: LintPolicy,
  scope: LintScope = { isWhole: false },
): readonly Finding[] {
  const project = readProject(files, scope);
  const findings = files.flatMap((file) => {
    const document = project.document(file.path);
    return document === undefined ? [] : lintDocument(document, policy);
  });
  return [...syntaxFindings(files, project, policy), ...findings].toSorted(inOrder);
}

interface OpenProject extends Project {
  problems(path: string): readonly Problem[];
}

/** Each file is read once, when it is first asked for. */
function readProject(files: readonly LintFile[], { isWhole }: LintScope): OpenProject {
  const byPath = new Map(files.map((file) => [posix.normalize(file.path), file]));
  const documents = new Map<string, LintDocument | undefined>();
  const workflows = new Map<string, Checked<Workflow>>();
  const parsed = (path: string): Checked<Workflow> => {
    const file = byPath.get(posix.normalize(path));
    if (file === undefined || kindOf(file) !== "workflow") return { problems: [] };
    const known = workflows.get(file.path) ?? parseWorkflowFile(file.path, file.text);
    workflows.set(file.path, known);
    return known;
  };
  const project: OpenProject = {
    isWhole,
    document(path) {
      const file = byPath.get(posix.normalize(path));
      const kind = file === undefined ? undefined : kindOf(file);
      if (file === undefined || kind === undefined) return undefined;
      if (!documents.has(file.path)) documents.set(file.path, readDocument(file.path, kind, file.text, project).value);
      return documents.get(file.path);
    },
    workflow: (path) => parsed(path).value,
    problems: (path) => parsed(path).problems,
  };
  return project;
}

/** Those that the policy does not let a push have. */
export function blockingFindings(findings: readonly Finding[], policy: LintPolicy): readonly Finding[] {
  const { block } = policy;
  if (block === "never") return [];
  return findings.filter((finding) => severityRank(finding.severity) >= severityRank(block));
}

function syntaxFindings(files: readonly LintFile[], project: OpenProject, policy: LintPolicy): readonly Finding[] {
  const problems = files.flatMap((file) => project.problems(file.path)).filter((problem) => !isRuleOfOurs(problem));
  return problems.flatMap((problem): readonly Finding[] => {
    const { file = policyPath, line = 1, column = 1 } = problem.at ?? {};
    const severity = problem.severity ?? "error";
    const message = problem.path === "" ? problem.message : `${problem.path}: ${problem.message}`;
    return applied({ rule: syntaxRule.name, severity, message, file, line, column }, policy);
  });
}

/** What the reading of a file warns of for those who run it, and `unsound-condition` says as an error. */
function isRuleOfOurs({ message, severity }: Problem): boolean {
  return severity === "warning" && message.startsWith("Condition is always true: ");
}

function lintDocument(document: LintDocument, policy: LintPolicy): readonly Finding[] {
  const findings = allRules
    .filter((rule) => rule.kinds.includes(document.kind))
    .flatMap((rule) => runRule(rule, document, policy));
  // What an alias repeats is found at the anchor each time.
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}

function runRule(rule: Rule, document: LintDocument, policy: LintPolicy): readonly Finding[] {
  const settings = policy.rules.get(rule.name) ?? noSettings;
  return [...rule.check(document, settings)]
    .filter((found) => policy.pedantic || !isPedantic(rule, found))
    .filter((found) => !isIgnored(document, rule.name, found))
    .flatMap(({ at, message, severity }) => {
      const finding = { rule: rule.name, severity: severity ?? rule.severity, message, file: document.file };
      return applied({ ...finding, line: at.line, column: at.column }, policy);
    });
}

function isPedantic(rule: Rule, found: Found): boolean {
  return found.pedantic ?? rule.pedantic ?? false;
}
