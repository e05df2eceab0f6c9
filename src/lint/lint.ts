/** Files in, findings out. Pure. */
import { parseWorkflowFile, type WorkflowText } from "#workflows";
import { allRules, syntaxRule } from "./all-rules.ts";
import { documentKind, readDocument, type LintDocument } from "./document.ts";
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

/** Sorted by file and place. Files that are not for the linter are passed over. */
export function lintFiles(files: readonly LintFile[], policy: LintPolicy): readonly Finding[] {
  const findings = files.flatMap((file) => {
    const kind = kindOf(file);
    return kind === undefined ? [] : lintFile(file, kind, policy);
  });
  return [...syntaxFindings(files, policy), ...findings].toSorted(inOrder);
}

/** Those that the policy does not let a push have. */
export function blockingFindings(findings: readonly Finding[], policy: LintPolicy): readonly Finding[] {
  const { block } = policy;
  if (block === "never") return [];
  return findings.filter((finding) => severityRank(finding.severity) >= severityRank(block));
}

function syntaxFindings(files: readonly LintFile[], policy: LintPolicy): readonly Finding[] {
  const problems = files
    .filter((file) => kindOf(file) === "workflow")
    .flatMap((file) => parseWorkflowFile(file.path, file.text).problems);
  return problems.flatMap((problem): readonly Finding[] => {
    const { file = policyPath, line = 1, column = 1 } = problem.at ?? {};
    const severity = problem.severity ?? "error";
    const message = problem.path === "" ? problem.message : `${problem.path}: ${problem.message}`;
    return applied({ rule: syntaxRule.name, severity, message, file, line, column }, policy);
  });
}

function lintFile(file: LintFile, kind: DocumentKind, policy: LintPolicy): readonly Finding[] {
  const document = readDocument(file.path, kind, file.text).value;
  if (document === undefined) return [];
  const findings = allRules
    .filter((rule) => rule.kinds.includes(kind))
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
